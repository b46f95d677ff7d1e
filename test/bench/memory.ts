import { closeSync, mkdirSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StatusView } from '../../src/daemon/api.ts';
import { memoryConfig } from './bench-config.ts';
import type { EmulatorCalls } from './emulator-process.ts';
import { RealDaemon } from './real-daemon.ts';
import { start } from './remote.ts';

/** The peak of the daemon's resident memory, in bytes, as far as it had come. */
export interface MemoryFigures {
  readonly credentials: number;
  readonly rule: 'managed' | 'unmanaged';
  /** After every credential was looked at and stored for the first time. */
  readonly firstContact: number;
  /** Seconds that this took. */
  readonly took: number;
  /** After more scans. */
  readonly scans: number;
  /** After scrapes of the metrics, and after a caller paged through all credentials. */
  readonly reads: number;
  /** Of a daemon that was started anew on that ledger, at the end of the same. */
  readonly restarted: number;
}

const MORE_SCANS = 3;

/**
 * What memory many credentials take, by the program as it is shipped. Managed ones match a rule, and their destinations
 * are looked at; the mode is observe, so that each of them does not have to be rotated first.
 */
export async function measureMemory(
  credentials: number,
  rule: MemoryFigures['rule'],
  { folder, progress }: { readonly folder: string; readonly progress: (text: string) => void },
): Promise<MemoryFigures> {
  mkdirSync(folder, { recursive: true });
  const output = openSync(join(folder, 'daemon.log'), 'w');
  const emulator = start<EmulatorCalls>('./emulator-process.ts', { output, execArgv: [] });
  const place = await emulator.calls.open({ groups: [{ credentials, description: 'app-{n}' }] });
  const config = join(folder, 'rekeyd.yaml');
  await writeFile(config, memoryConfig(place, rule === 'managed'), { mode: 0o600 });
  const run = (): RealDaemon => new RealDaemon(config, join(folder, 'rekeyd.sock'), output);
  // the emulator's own client is listed, too
  const isWhole = (status: StatusView) => counted(status) === credentials + 1 && status.lastScan?.finishedAt != null;

  progress(`memory: first contact with ${credentials} credentials, ${rule}`);
  const began = performance.now();
  const daemon = run();
  try {
    await daemon.until(isWhole);
    const took = (performance.now() - began) / 1000;
    const firstContact = await daemon.peakMemory();
    await moreScans(daemon);
    const scans = await daemon.peakMemory();
    await readAll(daemon, credentials + 1);
    const reads = await daemon.peakMemory();
    await daemon.stop();
    progress(`memory: another start with ${credentials} credentials, ${rule}`);
    const again = run();
    try {
      await again.until(isWhole);
      await moreScans(again);
      await readAll(again, credentials + 1);
      return { credentials, rule, firstContact, took, scans, reads, restarted: await again.peakMemory() };
    } finally {
      await again.stop();
    }
  } finally {
    await daemon.stop();
    await emulator.end();
    closeSync(output);
  }
}

function counted({ credentials }: StatusView): number {
  return Object.values(credentials).reduce((before, each) => before + each, 0);
}

async function moreScans(daemon: RealDaemon): Promise<void> {
  let last: string | undefined;
  for (let left = MORE_SCANS; left > 0; left -= 1) {
    await daemon.until(({ lastScan }) => lastScan?.finishedAt != null && lastScan.scanId !== last);
    await daemon.until(({ lastScan }) => {
      last = lastScan?.scanId;
      return true;
    });
  }
}

/** As a collector and a dashboard do. @throws where the pages do not hold `expected` credentials. */
async function readAll(daemon: RealDaemon, expected: number): Promise<void> {
  for (let scrape = 0; scrape < 2; scrape += 1) await daemon.get('/metrics');
  let seen = 0;
  let cursor: string | null = '';
  while (cursor !== null) {
    const text = await daemon.get(
      `/v1/credentials?limit=1000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    const page = JSON.parse(text) as { items: unknown[]; nextCursor: string | null };
    seen += page.items.length;
    cursor = page.nextCursor;
  }
  if (seen !== expected) throw new Error(`the pages hold ${seen} credentials, not ${expected}`);
}
