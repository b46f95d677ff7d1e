import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBackends } from '../../../src/compose/opened.ts';
import type { Opened } from '../../../src/compose/opened.ts';
import type { Mode, Settings } from '../../../src/config/settings.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { silentMeter } from '../../../src/telemetry/meter.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { settingsFor } from '../cli/bench.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekeyd-opened-'));
});
afterEach(() => rm(folder, { recursive: true }));

function settingsIn(mode: Mode): Settings {
  const options = { path: join(folder, 'plain'), mode: '0640', uid: null, gid: null };
  const vault = { type: 'directory', options, timeout: 1_000, requestsPerSecond: 10, readBack: 0 };
  return settingsFor({ mode, issuers: new Map(), vaults: new Map([['plain', vault]]) });
}

function open(mode: Mode, before: Opened | null = null): Promise<Opened> {
  const around = { ports: createManualPorts(), log: silentLog, meter: silentMeter };
  return openBackends(settingsIn(mode), around, { readOnly: false, before });
}

describe('vaults over a reload', () => {
  it.each([
    ['active', 'active', true],
    ['active', 'no-delete', true],
    ['observe', 'observe', true],
    ['observe', 'active', false],
    ['observe', 'no-delete', false],
    ['active', 'observe', false],
  ] as const)('from %s to %s one with the same section is kept: %s', async (from, to, kept) => {
    const before = await open(from);
    const after = await open(to, before);
    expect(after.vaults.get('plain') === before.vaults.get('plain')).toBe(kept);
  });

  it('are opened to look only in mode observe', async () => {
    await open('observe');
    expect(await readdir(folder)).toEqual([]);
    await open('no-delete');
    expect(await readdir(folder)).toEqual(['plain']);
  });
});
