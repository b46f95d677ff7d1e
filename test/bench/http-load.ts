import { Agent, request } from 'node:http';

export interface Target {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Load {
  /** Requests a second. */
  readonly rate: number;
  /** Of each request, in milliseconds. */
  readonly latencies: readonly number[];
}

const CONNECTIONS = 8;

/** Sends `count` requests over a few connections that are kept. @throws where an answer is no 200. */
export async function load(target: Target, count: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const latencies: number[] = [];
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const began = performance.now();
      await get(target, agent);
      latencies.push(performance.now() - began);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: Math.min(CONNECTIONS, count) }, lane));
  const took = (performance.now() - began) / 1000;
  agent.destroy();
  return { rate: count / took, latencies };
}

/** @returns type and bytes of the answer. @throws where it is no 200. */
export function get(
  { port, path, headers }: Target,
  agent: Agent | false = false,
): Promise<{ readonly type: string; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode ?? '?'}`));
        else resolve({ type: response.headers['content-type'] ?? '', body: Buffer.concat(parts) });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** The value that 99 of 100 are not above. @throws RangeError where there is none. */
export function p99(values: readonly number[]): number {
  const value = values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1];
  if (value === undefined) throw new RangeError('nothing was measured');
  return value;
}
