import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import { useTestCredentials } from '../conformance/aws-hands.ts';
import type { FakesCalls } from './fakes-process.ts';
import { compareRounds } from './figures.ts';
import type { Assertion, Comparison, Round } from './figures.ts';
import { start } from './remote.ts';
import { RequestRecorder } from './request-recorder.ts';
import { startStopwatch } from './stopwatch.ts';
import type { Effort } from './stopwatch.ts';
import { placeMakers } from './vault-places.ts';
import type { PlaceMaker, VaultPlace } from './vault-places.ts';

/** Deliveries to one type of vault beside the bare ones; where there is no server, the reason. */
export interface VaultFigures extends Pick<Comparison, 'daemon' | 'bare' | 'ratio' | 'cpuRatio'> {
  readonly type: string;
  readonly server: string;
  readonly deliveries: number;
  readonly requests: number;
}

export interface VaultsCompared {
  readonly vaults: readonly VaultFigures[];
  readonly left: readonly { readonly type: string; readonly reason: string }[];
  readonly assertions: readonly Assertion[];
}

interface Options {
  readonly folder: string;
  /** Entries a round, each delivered to once by either side. */
  readonly entries: number;
  readonly rounds: number;
  readonly progress: (text: string) => void;
}

const CONCURRENCY = 8;

/**
 * Deliveries to entries that are there: look, deliver, prove by reading back, as a rotation does it; beside them the
 * backend's own library with the same requests. The two take turns in this process; the servers are others.
 */
export async function compareVaults({ folder, entries, rounds, progress }: Options): Promise<VaultsCompared> {
  mkdirSync(folder, { recursive: true });
  const resetEnvironment = useTestCredentials();
  const output = openSync(join(folder, 'fakes.log'), 'w');
  const fakes = start<FakesCalls>('./fakes-process.ts', { output, execArgv: [] });
  const recorder = new RequestRecorder();
  const [vaults, left, assertions]: [VaultFigures[], { type: string; reason: string }[], Assertion[]] = [[], [], []];
  try {
    for (const maker of placeMakers(folder, fakes.calls)) {
      progress(`deliveries: ${maker.type}`);
      const place = await maker.open();
      if (typeof place === 'string') {
        left.push({ type: maker.type, reason: place });
        continue;
      }
      try {
        const { figures, same } = await measure(maker, place, { entries, rounds, recorder });
        vaults.push(figures);
        assertions.push(same);
      } finally {
        await place.close();
      }
    }
  } finally {
    await fakes.end();
    closeSync(output);
    resetEnvironment();
  }
  return { vaults, left, assertions };
}

async function measure(
  { type, server }: PlaceMaker,
  place: VaultPlace,
  { entries, rounds, recorder }: Pick<Options, 'entries' | 'rounds'> & { recorder: RequestRecorder },
): Promise<{ figures: VaultFigures; same: Assertion }> {
  const names = (side: string): string[] => Array.from({ length: entries }, (_, index) => `${side}-${index}`);
  // the bare loop's entries are made by rekeyd, too: both deliver over what is there
  await each([...names('ours'), ...names('bare')], (name) => deliver(place, name, 1));
  const measured: Round[] = [];
  let [ours, bare]: [string[], string[]] = [[], []];
  for (let round = 0; round <= rounds; round += 1) {
    recorder.take();
    const daemon = await timed(() => each(names('ours'), (name) => deliver(place, name, round + 2)));
    ours = recorder.take();
    const loop = await timed(() => each(names('bare'), (name) => place.bare(name, valueOf(round + 2))));
    bare = recorder.take();
    // the first round warms both up
    if (round > 0) measured.push({ daemon, bare: loop });
  }
  const saw = `${methods(ours)}; bare ${methods(bare)}`;
  return {
    figures: { type, server, deliveries: entries, requests: ours.length, ...compareRounds(measured) },
    same: { name: `${type}: both send the same requests`, holds: methods(ours) === methods(bare), saw },
  };
}

async function deliver(place: VaultPlace, name: string, generation: number): Promise<void> {
  const { vault } = place;
  const ref = { entry: place.entry(name), options: {} };
  const seen = await vault.describe(ref);
  const mark = {
    instance: 'bench',
    issuer: 'data8',
    credential: name,
    generation,
    secretId: String(generation),
    deliveredAt: Date.now(),
  };
  const payload = { form: 'fields', content: SecretValue.of(valueOf(generation)) } as const;
  const expected = seen.state === 'absent' ? ABSENT : seen.version;
  await vault.deliver(ref, payload, mark, expected);
  const proof = await vault.describe(ref, { prove: true });
  if (proof.state === 'absent' || proof.binding !== 'bound') throw new Error(`${vault.type} did not bind '${name}'`);
}

function valueOf(n: number): string {
  const expires = '2030-01-01T00:00:00.000Z';
  return JSON.stringify({
    clientId: 'bench',
    clientSecret: `value ${n} ${'x'.repeat(40)}`,
    secretId: String(n),
    expires,
  });
}

async function each(names: readonly string[], work: (name: string) => Promise<void>): Promise<void> {
  const rest = names.values();
  const worker = async (): Promise<void> => {
    for (const name of rest) await work(name);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

async function timed(work: () => Promise<void>): Promise<Effort> {
  const watch = startStopwatch();
  await work();
  return watch();
}

function methods(requests: readonly string[]): string {
  const counts: Record<string, number> = {};
  for (const request of requests) {
    const [method = ''] = request.split(' ');
    counts[method] = (counts[method] ?? 0) + 1;
  }
  return Object.keys(counts)
    .sort()
    .map((method) => `${counts[method] ?? 0} ${method}`)
    .join(', ');
}
