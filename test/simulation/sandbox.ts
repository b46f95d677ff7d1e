import { createRequire, syncBuiltinESMExports } from 'node:module';

const crypto = createRequire(import.meta.url)('node:crypto') as { randomUUID: unknown };

/** What would let real time or real chance into a simulated world. */
const CLOSED = ['setTimeout', 'setInterval', 'setImmediate', 'fetch'] as const;

/**
 * Runs `work` with the doors to the real world closed: the real time, timers, random numbers, the network. Whoever asks for
 * them past the ports gets an error, which fails the schedule.
 */
export async function closed<T>(work: () => Promise<T>): Promise<T> {
  const open = globalThis as unknown as Record<string, unknown>;
  const kept = new Map<string, unknown>(CLOSED.map((name) => [name, open[name]]));
  const { now } = Date;
  const { random } = Math;
  const { randomUUID } = crypto;
  const RealDate = Date;
  for (const name of CLOSED) open[name] = forbidden(name);
  open['Date'] = new Proxy(RealDate, {
    construct: (target, given) => {
      if (given.length === 0) forbidden('new Date()')();
      return Reflect.construct(target, given) as object;
    },
  });
  RealDate.now = forbidden('Date.now');
  Math.random = forbidden('Math.random');
  crypto.randomUUID = forbidden('randomUUID');
  syncBuiltinESMExports();
  try {
    return await work();
  } finally {
    for (const [name, value] of kept) open[name] = value;
    open['Date'] = RealDate;
    RealDate.now = now;
    Math.random = random;
    crypto.randomUUID = randomUUID;
    syncBuiltinESMExports();
  }
}

function forbidden(name: string): () => never {
  return () => {
    throw new Error(`${name} was used past the ports, inside the simulation`);
  };
}
