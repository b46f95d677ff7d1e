import { closeSync, mkdirSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededClientId } from '../../src/emulator/seed.ts';
import type { SeedGroup } from '../../src/emulator/seed.ts';
import type { BareCalls } from './bare-process.ts';
import { benchConfig, CONCURRENCY } from './bench-config.ts';
import type { DaemonCalls, ScanFigures } from './daemon-process.ts';
import type { EmulatorCalls } from './emulator-process.ts';
import { start } from './remote.ts';
import type { Remote, Started } from './remote.ts';
import type { Effort } from './stopwatch.ts';
import type { Work } from './work.ts';

const KEY = 'bench';

export interface SceneOptions {
  readonly folder: string;
  /** The credentials that are due come first. */
  readonly groups: readonly SeedGroup[];
  /** How many of them are worked on in each round. */
  readonly due: number;
  /** Where CPU profiles of the daemon go; null: none is made. */
  readonly profiles: string | null;
}

/**
 * A daemon before an emulator, and a bare loop before another one with the same account, each in a process of its own.
 * Only one of the two works at a time.
 */
export class Scene {
  readonly daemon: Remote<DaemonCalls>;
  readonly emulator: Remote<EmulatorCalls>;
  readonly first: ScanFigures;
  readonly #bare: Remote<BareCalls>;
  readonly #started: readonly Started<unknown>[];

  private constructor(
    daemon: Started<DaemonCalls>,
    emulator: Started<EmulatorCalls>,
    bare: Started<BareCalls>,
    others: readonly Started<unknown>[],
    first: ScanFigures,
  ) {
    this.daemon = daemon.calls;
    this.emulator = emulator.calls;
    this.#bare = bare.calls;
    this.#started = [daemon, emulator, bare, ...others];
    this.first = first;
  }

  /** Starts everything; the daemon has made its first contact, so that every credential is served. */
  static async open({ folder, groups, due, profiles }: SceneOptions): Promise<Scene> {
    mkdirSync(folder, { recursive: true });
    // the daemon's log goes to a file: written for real, read by nobody
    const output = openSync(join(folder, 'daemon.log'), 'w');
    const plain = { output, execArgv: [] };
    const profiling = profiles === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
    const emulator = start<EmulatorCalls>('./emulator-process.ts', plain);
    const another = start<EmulatorCalls>('./emulator-process.ts', plain);
    const daemon = start<DaemonCalls>('./daemon-process.ts', { output, execArgv: profiling });
    const bare = start<BareCalls>('./bare-process.ts', plain);
    closeSync(output);
    const config = join(folder, 'rekeyd.yaml');
    await writeFile(config, benchConfig(await emulator.calls.open({ groups, key: KEY })), { mode: 0o600 });
    const first = await daemon.calls.open(config);
    const scene = new Scene(daemon, emulator, bare, [another], first);
    await bare.calls.open({
      place: await another.calls.open({ groups, key: KEY }),
      folder,
      clientIds: Array.from({ length: due }, (_, index) => seededClientId(KEY, index + 1)),
      documents: (await daemon.calls.look()).documents,
    });
    return scene;
  }

  /** Time passes for daemon and emulator. */
  async advance(by: number): Promise<void> {
    await Promise.all([this.daemon.advance(by), this.emulator.advance(by)]);
  }

  /** The bare loop does the same work. */
  bare(work: Work): Promise<Effort> {
    return this.#bare.run(work, CONCURRENCY);
  }

  async close(): Promise<void> {
    for (const each of this.#started) await each.end();
  }
}
