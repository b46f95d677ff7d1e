import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleCredential } from './sample-records.ts';
import { SqliteFixture } from './sqlite-fixture.ts';

const run = promisify(execFile);
const script = (name: string): string => new URL(name, import.meta.url).pathname;

describe('sqlite ledger, several processes', () => {
  let fixture: SqliteFixture;
  beforeEach(() => {
    fixture = new SqliteFixture();
  });
  afterEach(() => fixture.dispose());

  it('P1: what was acknowledged before a SIGKILL is there afterwards, whole, 20 times over', async () => {
    let acknowledged = 0;
    for (let round = 1; round <= 20; round += 1) {
      const before = acknowledged;
      const child = spawn(process.execPath, [script('commit-forever.ts'), fixture.path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines: string[] = [];
      const reader = createInterface(child.stdout);
      reader.on('line', (line) => lines.push(line));
      const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]);
      await once(reader, 'line');
      await sleep((round * 7) % 40);
      child.kill('SIGKILL');
      await ended;

      expect(lines.filter((line) => !line.startsWith('committed '))).toEqual([]);
      acknowledged = Number(lines.at(-1)?.slice('committed '.length));
      expect(acknowledged).toBeGreaterThan(before);

      const ledger = await fixture.open();
      expect(ledger.setAside).toBeNull();
      const credential = await ledger.credential(sampleCredential());
      const version = credential?.version ?? 0;
      // the one that the kill cut off may be there or not
      expect(version).toBeGreaterThanOrEqual(acknowledged);
      expect(version).toBeLessThanOrEqual(acknowledged + 1);
      expect(credential?.failures).toBe(version);
      // credential and rotation of a commit are there together
      expect(await ledger.startedSince(0)).toBe(version);
      expect(await ledger.rotation(`r${version}`)).not.toBeNull();
      expect(await ledger.rotation(`r${version + 1}`)).toBeNull();
      acknowledged = version;
      await ledger.close();
    }
  }, 60_000);

  it('P6: processes that start on one new file at the same moment lose no update of each other', async () => {
    const results = await Promise.all(
      Array.from({ length: 3 }, () => run(process.execPath, [script('count-up.ts'), fixture.path, '60'])),
    );
    expect(results.map(({ stderr }) => stderr)).toEqual(['', '', '']);
    const ledger = await fixture.open();
    expect(await ledger.note('count')).toEqual({ version: 180, value: 180 });
  });

  it('P4: processes that find one corrupt file at the same moment set it aside once, and share the new one', async () => {
    mkdirSync(dirname(fixture.path));
    writeFileSync(fixture.path, 'garbage '.repeat(1_000), { mode: 0o600 });
    await Promise.all(
      Array.from({ length: 4 }, () => run(process.execPath, [script('count-up.ts'), fixture.path, '20'])),
    );
    const aside = readdirSync(dirname(fixture.path)).filter((file) => file.includes('.corrupt-'));
    expect(aside).toEqual(['rekeyd.db.corrupt-20300101T000000000Z']);
    expect(await (await fixture.open()).note('count')).toEqual({ version: 80, value: 80 });
  });

  it('P3: where the file can grow no more, commit and check say so, and nothing is lost or half stored', async () => {
    // a limit on file sizes stands for the full disk: the write is refused by the system in the middle of a commit
    const { stdout } = await run('sh', [
      '-c',
      'ulimit -f 400; exec "$0" "$@"',
      process.execPath,
      script('commit-forever.ts'),
      fixture.path,
    ]);
    const lines = stdout.trim().split('\n');
    const committed = lines.filter((line) => line.startsWith('committed ')).length;
    expect(committed).toBeGreaterThan(3);
    const [failed, check] = lines.slice(committed);
    expect(failed).toMatch(/^failed the ledger .*rekeyd\.db could not be read or written .*check disk, quota/);
    expect(check).toMatch(/^check the ledger .* could not be read or written /);

    const ledger = await fixture.open();
    expect(ledger.setAside).toBeNull();
    expect((await ledger.credential(sampleCredential()))?.version).toBe(committed);
    expect(await ledger.startedSince(0)).toBe(committed);
    await ledger.check();
  });
});
