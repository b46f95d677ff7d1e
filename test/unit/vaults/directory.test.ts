import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/domain/errors.ts';
import type { Payload } from '../../../src/domain/payload.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { ABSENT } from '../../../src/vaults/contract.ts';
import type { Vault } from '../../../src/vaults/contract.ts';
import {
  readSidecar,
  sidecarMark,
  unmarked,
  withNewMark,
  writeSidecar,
} from '../../../src/vaults/directory-sidecar.ts';
import { directoryVaultType } from '../../../src/vaults/directory.ts';
import { asAnotherUser } from '../../conformance/another-user.ts';
import { createTestContext } from '../../conformance/vault-context.ts';
import { numberedMark } from './numbered.ts';

const ENTRY = 'team-a/orders.env';
const ref = { entry: ENTRY, options: {} };
const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

let root: string;
let path: string;
const context = createTestContext('vm');

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rekeyd-directory-'));
  path = join(root, 'secrets');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function open(given: object = {}): Promise<Vault> {
  return directoryVaultType.create(directoryVaultType.schema.parse({ path, ...given }), context);
}

const text = (content: string): Payload => ({ form: 'opaque', content: SecretValue.of(content) });
const mark = (generation: number) => numberedMark(generation, 'a');
const deliver = (vault: Vault, content: string, generation: number, expected = ABSENT) =>
  vault.deliver(ref, text(content), mark(generation), expected);
const modeOf = (...parts: string[]): string => (statSync(join(path, ...parts)).mode & 0o777).toString(8);

describe('the files of a directory vault', () => {
  it('S8: lie at their plain names, 0600 in folders 0700 unless told otherwise', async () => {
    await deliver(await open(), 'ID=1\nSECRET=2\n', 1);
    expect(readFileSync(join(path, ENTRY), 'utf8')).toBe('ID=1\nSECRET=2\n');
    expect([modeOf(), modeOf('team-a'), modeOf(ENTRY), modeOf('.rekeyd')]).toEqual(['700', '700', '600', '700']);
    expect(modeOf('.rekeyd', 'team-a%2forders.env.json')).toBe('600');
    expect(readdirSync(join(path, 'team-a'))).toEqual(['orders.env']);
  });

  it('have the mode and group that the configuration says, their folders to match, whatever the umask', async () => {
    const before = process.umask(0o077);
    try {
      await deliver(await open({ mode: '0640', gid: me.gid }), 'x', 1);
    } finally {
      process.umask(before);
    }
    expect([modeOf(), modeOf('team-a'), modeOf(ENTRY), modeOf('.rekeyd')]).toEqual(['750', '750', '640', '700']);
    expect(statSync(join(path, ENTRY)).gid).toBe(me.gid);
  });

  it.runIf(me.uid === 0)('are given to another owner and group, while the folders stay our own', async () => {
    await deliver(await open({ mode: '0440', uid: 1234, gid: 1000 }), 'x', 1);
    expect(statSync(join(path, ENTRY))).toMatchObject({ uid: 1234, gid: 1000 });
    expect(statSync(path)).toMatchObject({ uid: 0, gid: 1000 });
    expect([modeOf(), modeOf('team-a'), modeOf(ENTRY)]).toEqual(['751', '751', '440']);
  });

  it('that cannot be given away are an error, and the old value stays', async () => {
    const vault = await open();
    const { version } = await deliver(vault, 'old', 1);
    const other = await open({ uid: me.uid + 4321 });
    if (me.uid === 0) {
      chmodSync(root, 0o755);
      for (const part of ['', 'team-a', '.rekeyd']) chmodSync(join(path, part), 0o777);
      chmodSync(join(path, ENTRY), 0o644);
      chmodSync(join(path, '.rekeyd', 'team-a%2forders.env.json'), 0o644);
    }
    const undo = me.uid === 0 ? asAnotherUser(path) : (): void => undefined;
    const call = deliver(other, 'new', 2, version).catch((error: unknown) => error);
    expect(await call.finally(undo)).toMatchObject({
      fault: 'denied',
      message: expect.stringContaining('EPERM') as string,
    });
    expect(readFileSync(join(path, ENTRY), 'utf8')).toBe('old');
    expect(await vault.describe(ref)).toMatchObject({ version, mark: mark(1), binding: 'bound' });
    expect(readdirSync(join(path, 'team-a'))).toEqual(['orders.env']);
  });

  it('S8: a folder in which others may write is refused, with the command that mends it', async () => {
    mkdirSync(path);
    chmodSync(path, 0o775);
    await expect(open()).rejects.toThrow(/vaults\.vm\.path: .*mode 0775.*chmod 0700/);
    chmodSync(path, 0o755);
    await open();
    chmodSync(join(path, '.rekeyd'), 0o755);
    await expect(open()).rejects.toThrow(ConfigError);
  });

  it.each(['640', '0640', '0400', '0755'])('takes mode %s', (mode) => {
    expect(directoryVaultType.schema.safeParse({ path, mode }).success).toBe(true);
  });

  it.each([640, '0666', '0602', '0200', 'rw-r-----', '1777', ''])('refuses mode %j', (mode) => {
    expect(directoryVaultType.schema.safeParse({ path, mode }).success).toBe(false);
  });

  it('takes owner and group as numbers, or as texts that stand for them', () => {
    expect(directoryVaultType.schema.parse({ path, uid: '1000', gid: 0 })).toMatchObject({ uid: 1000, gid: 0 });
    expect(directoryVaultType.schema.parse({ path })).toMatchObject({ uid: null, gid: null, mode: '0600' });
    expect(directoryVaultType.schema.safeParse({ path, uid: '' }).success).toBe(false);
    expect(directoryVaultType.schema.safeParse({ path, uid: 'root' }).success).toBe(false);
  });

  it.each(['.env', 'a/.hidden/b', '.rekeyd/x.json', '/etc/passwd', '../x', 'a\\b', `a/${'b'.repeat(256)}`])(
    'S5: refuses the name %s at load, and once more at the call',
    async (entry) => {
      expect(directoryVaultType.nameProblem(entry)).toEqual(expect.stringMatching(/\w/));
      const vault = await open();
      const call = vault.deliver({ entry, options: {} }, text('x'), mark(1), ABSENT);
      await expect(call).rejects.toMatchObject({ fault: 'rejected' });
    },
  );

  it('a name that is a folder of another is an error that says so', async () => {
    const vault = await open();
    await deliver(vault, 'x', 1);
    await expect(vault.describe({ entry: 'team-a', options: {} })).rejects.toThrow(/a folder stands where a file/);
    await expect(vault.describe({ entry: `${ENTRY}/x`, options: {} })).rejects.toMatchObject({ fault: 'rejected' });
  });
});

describe('a crash between value and mark in a directory vault', () => {
  /** What deliver does before it puts the new content in place. */
  async function crashBeforeValue(content: string, generation: number): Promise<void> {
    const before = (await readSidecar(path, ENTRY)) ?? [];
    const current = before.length === 0 ? unmarked(SecretValue.of(readFileSync(join(path, ENTRY), 'utf8'))) : null;
    const lines = withNewMark(before, current ?? before.at(-1)!, sidecarMark(text(content), mark(generation)));
    await writeSidecar(path, ENTRY, lines, context.ids);
  }

  it('V2: leaves the old value with the old mark, and a repeat goes on from there', async () => {
    const vault = await open();
    const { version } = await deliver(vault, 'old', 1);
    await crashBeforeValue('new', 2);
    const revision: unknown = expect.any(String);
    expect(await vault.describe(ref)).toEqual({ state: 'present', version, revision, mark: mark(1), binding: 'bound' });
    await deliver(vault, 'new', 2, version);
    expect(await vault.describe(ref)).toMatchObject({ mark: mark(2), binding: 'bound' });
  });

  it('V2: leaves the new value with the new mark', async () => {
    const vault = await open();
    await deliver(vault, 'old', 1);
    await crashBeforeValue('new', 2);
    writeFileSync(join(path, ENTRY), 'new');
    expect(await vault.describe(ref)).toMatchObject({ mark: mark(2), binding: 'bound' });
  });

  it('V2: leaves what was not ours as not ours', async () => {
    const vault = await open();
    mkdirSync(join(path, 'team-a'));
    writeFileSync(join(path, ENTRY), 'theirs');
    const before = await vault.describe(ref);
    expect(before).toMatchObject({ mark: null, binding: 'broken' });
    await crashBeforeValue('new', 1);
    expect(await vault.describe(ref)).toEqual(before);
  });

  it('leaves an absent entry absent', async () => {
    const vault = await open();
    await writeSidecar(path, ENTRY, [sidecarMark(text('new'), mark(1))], context.ids);
    expect(await vault.describe(ref)).toEqual({ state: 'absent' });
  });
});

describe('what people do to a directory vault', () => {
  it('V14: an older value that is put back is known as what it was, a few deliveries later too', async () => {
    const vault = await open();
    let version = ABSENT;
    for (let generation = 1; generation <= 4; generation++) {
      ({ version } = await deliver(vault, `value ${generation}`, generation, version));
    }
    for (const generation of [3, 1, 4]) {
      writeFileSync(join(path, ENTRY), `value ${generation}`);
      expect(await vault.describe(ref)).toMatchObject({ mark: mark(generation), binding: 'bound' });
    }
  });

  it('V17: a value that is not known is broken until it is written over', async () => {
    const vault = await open();
    await deliver(vault, 'ours', 1);
    writeFileSync(join(path, ENTRY), 'theirs');
    const seen = await vault.describe(ref);
    expect(seen).toMatchObject({ mark: mark(1), binding: 'broken' });
    await deliver(vault, 'ours again', 2, seen.state === 'present' ? seen.version : '');
    expect(await vault.describe(ref)).toMatchObject({ mark: mark(2), binding: 'bound' });
  });

  it('V17: a mark that was edited is broken', async () => {
    const vault = await open();
    await deliver(vault, 'x', 1);
    const sidecar = join(path, '.rekeyd', 'team-a%2forders.env.json');
    const edited = readFileSync(sidecar, 'utf8').replace('"rekeyd-generation": "1"', '"rekeyd-generation": "9"');
    writeFileSync(sidecar, edited);
    expect(await vault.describe(ref)).toMatchObject({ mark: { generation: 9 }, binding: 'broken' });
  });

  it('V15: a folder that is not there any more (unmounted) is an error, never absence', async () => {
    const vault = await open();
    await deliver(vault, 'x', 1);
    rmSync(path, { recursive: true });
    await expect(vault.describe(ref)).rejects.toMatchObject({ fault: 'unavailable' });
    await expect(deliver(vault, 'y', 2)).rejects.toThrow(/is it mounted/);
  });

  it.each(['', '{', '{"format":1,"marks":[{"mark":{},"form":"x"}]}'])(
    'marks that cannot be read are an error: %j',
    async (bad) => {
      const vault = await open();
      await deliver(vault, 'x', 1);
      writeFileSync(join(path, '.rekeyd', 'team-a%2forders.env.json'), bad);
      await expect(vault.describe(ref)).rejects.toMatchObject({ fault: 'malformed' });
      await expect(vault.describe(ref)).rejects.toThrow(/orders\.env\.json' holds no marks/);
    },
  );

  it('two writers in one process, one after the other: the second sees the first', async () => {
    const vault = await open();
    const results = await Promise.allSettled(
      [1, 2, 3].map((generation) => deliver(vault, `v${generation}`, generation)),
    );
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(await vault.describe(ref)).toMatchObject({ mark: mark(1), binding: 'bound' });
  });
});
