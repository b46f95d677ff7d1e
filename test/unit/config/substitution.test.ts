import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BASE, load, problemsOf } from './loading.ts';
import type { World } from './loading.ts';

/** What `clientSecret: "TEXT"` comes to be (TEXT in single quotes of YAML). */
async function substituted(text: string, world: World): Promise<unknown> {
  const config = BASE.replace('hush-hush', () => `'${text.replaceAll("'", "''")}'`);
  return ((await load(config, world)).issuers.get('data8')?.options as { clientSecret: unknown }).clientSecret;
}

const world: World = {
  env: { A: 'alpha', EMPTY: '', TRICKY: '${A} $& "\': x\n- y', FILE: '${file:/run/s}' },
  files: {
    '/run/s': 'from a file\n',
    '/run/two': 'two\n\n',
    '/run/crlf': 'windows\r\n',
    '/run/none': 'none',
    '/run/multi': 'a\nb\n',
    '/etc/rekeyd/near': 'near',
    '/etc/near': 'up',
    '/run/refers': '${A}',
  },
};

describe('substitution', () => {
  it.each([
    ['${A}', 'alpha'],
    ['x${A}y${A}z', 'xalphayalphaz'],
    ['${A:-beta}', 'alpha'],
    ['${B:-beta}', 'beta'],
    ['${EMPTY:-beta}', 'beta'],
    ['x${EMPTY}', 'x'],
    ['x${B:-}', 'x'],
    ['${B:-a:-b c}', 'a:-b c'],
    ['${file:/run/s}', 'from a file'],
    ['${file:/run/two}', 'two\n'],
    ['${file:/run/crlf}', 'windows'],
    ['${file:/run/none}', 'none'],
    ['${file:/run/multi}', 'a\nb'],
    ['${file:near}', 'near'],
    ['${file:../near}', 'up'],
    ['$${A}', '${A}'],
    ['$$${A}', '$${A}'],
    ['$A $ {A} $', '$A $ {A} $'],
    ['${TRICKY}', '${A} $& "\': x\n- y'],
    ['${FILE}', '${file:/run/s}'],
    ['${file:/run/refers}', '${A}'],
  ])('%s is %j', async (text, expected) => {
    expect(await substituted(text, world)).toBe(expected);
  });

  it('puts in any value as it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !/[\uD800-\uDFFF]/.test(text)),
        async (value) => {
          expect(await substituted('<${V}>', { env: { V: value } })).toBe(`<${value}>`);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('leaves keys alone', async () => {
    expect(await problemsOf(`${BASE}"\${A}": 1\n`, world)).toEqual(['a.yaml:6:1: ["${A}"]: unknown key']);
  });

  it.each([
    ['${B}', 'the environment variable B is not set'],
    ['x${', 'a ${ without its }; write $${ where it is meant as it stands'],
    ['${}', '${…} takes a variable ${NAME}, ${NAME:-default} or a file ${file:/path}; write $${ for a plain ${'],
    ['${1A}', '${…} takes a variable ${NAME}, ${NAME:-default} or a file ${file:/path}; write $${ for a plain ${'],
    ['${A-b}', '${…} takes a variable ${NAME}, ${NAME:-default} or a file ${file:/path}; write $${ for a plain ${'],
    ['${B:-${A}}', 'a ${…} cannot stand inside another'],
    ['${file:}', '${file:} names no file'],
    ['${file:/run/nothing}', 'the file /run/nothing cannot be read (ENOENT)'],
    ['${file:nothing}', 'the file /etc/rekeyd/nothing cannot be read (ENOENT)'],
  ])('%s: %s', async (text, message) => {
    expect(await problemsOf(`${BASE}timezone: '${text}'\n`, world)).toEqual([`a.yaml:6:11: timezone: ${message}`]);
  });

  it('refuses a file that is too large, or is not text', async () => {
    const files = { '/run/large': 'x'.repeat(1024 * 1024 + 1), '/run/bytes': Uint8Array.from([0xff, 0xfe]) };
    expect(
      await problemsOf(`${BASE}timezone: \${file:/run/large}\nschedule: \${file:/run/bytes}\n`, { files }),
    ).toEqual([
      'a.yaml:6:11: timezone: the file /run/large is larger than 1 MiB',
      'a.yaml:7:11: schedule: the file /run/bytes is not UTF-8 text',
    ]);
  });

  it('tells every missing variable, and nothing that only follows from it', async () => {
    expect(await problemsOf(`${BASE}timezone: \${B}\nhttp: { port: "\${C}", host: "\${D}" }\n`)).toEqual([
      'a.yaml:6:11: timezone: the environment variable B is not set',
      'a.yaml:7:15: http.port: the environment variable C is not set',
      'a.yaml:7:29: http.host: the environment variable D is not set',
    ]);
  });
});

describe('S1: what came out of a variable or a file is in no message', () => {
  const canary = 'c4n4ry-Value';
  const canaries: World = { env: { V: canary, N: '7777777' }, files: { '/run/v': `${canary}\n` } };

  it.each([
    ['a number', 'http: { port: "${file:/run/v}" }', 'http.port: must be a number'],
    ['a number out of bounds', 'http: { port: "${N}" }', 'http.port: must be at most 65535'],
    ['a duration', 'resync: ${V}', 'resync: must be a duration'],
    ['a word', 'mode: ${file:/run/v}', 'mode: must be one of'],
    ['a cron expression', 'schedule: ${V}', 'schedule: is not a cron expression'],
    [
      'a cron expression of five fields',
      'schedule: ${V} * * * *',
      'schedule: is not a cron expression: look at the minute',
    ],
    ['a time zone', 'timezone: ${V}', 'timezone: is not a time zone'],
    ['a digest', 'http: { tokens: [{ name: a, role: viewer, sha256: "${V}" }] }', 'must be 64 hex digits'],
    ['a type', 'ledger: { type: "${V}" }', 'ledger.type: unknown type "${V}"'],
    [
      'a path of patterns',
      'credentials: [{ issuer: "${V}", match: { clientId: a }, suspend: true }]',
      'there is no issuer "${V}"',
    ],
    [
      'a policy',
      'credentials: [{ issuer: data8, match: { clientId: a }, policy: "${V}", suspend: true }]',
      'there is no policy "${V}"',
    ],
    [
      'a vault',
      'credentials: [{ issuer: data8, match: { clientId: a }, deliver: [{ vault: "${V}", name: x }] }]',
      'there is no vault "${V}"',
    ],
    [
      'an entry that its vault refuses',
      'credentials: [{ issuer: data8, match: { clientId: a }, deliver: [{ vault: local, name: "${V} !" }] }]',
      'named "${V} !": is not a valid value',
    ],
  ])('%s', async (_what, text, expected) => {
    const problems = (await problemsOf(`${BASE}${text}\n`, canaries)).join('\n');
    expect(problems).toContain(expected);
    expect(problems).not.toContain(canary);
    expect(problems).not.toContain('7777777');
  });

  it('a placeholder or a capture in it', async () => {
    const rule = (match: string, name: string) =>
      `${BASE}credentials: [{ issuer: data8, match: { clientId: "${match}" }, deliver: [{ vault: local, name: "${name}" }] }]\n`;
    const env = { T: 'x{c4n4ry}', P: '{c4n4ry}{c4n4ry}', Q: '{issuer}' };
    expect((await problemsOf(rule('*', '${T}'), { env })).join()).toContain(
      '.name: holds a placeholder that cannot be used',
    );
    expect((await problemsOf(rule('${P}', 'a'), { env })).join()).toContain(
      '.clientId: is not a pattern that can be used',
    );
    expect((await problemsOf(rule('a${Q}', '{clientId}'), { env })).join()).toContain(
      '.clientId: captures a name that is taken',
    );
    for (const text of [rule('*', '${T}'), rule('${P}', 'a')]) {
      expect((await problemsOf(text, { env })).join()).not.toContain('c4n4ry');
    }
  });

  it("a backend's own message that quotes its value", async () => {
    const config = BASE.replace('{ type: folder, path: ./vault }', '{ type: spaces, picky: "${V}" }');
    expect(await problemsOf(config, canaries)).toEqual(['a.yaml:5:33: vaults.local.picky: is not a valid value']);
    const plain = BASE.replace('{ type: folder, path: ./vault }', '{ type: spaces, picky: y }');
    expect(await problemsOf(plain)).toEqual(['a.yaml:5:33: vaults.local.picky: y is not x']);
  });

  it('a secret that is put together of short parts', async () => {
    const config = BASE.replace('{ type: folder, path: ./vault }', '{ type: spaces, picky: "${P}${Q}" }');
    expect(await problemsOf(config, { env: { P: 'abc', Q: 'def' } })).toEqual([
      'a.yaml:5:33: vaults.local.picky: is not a valid value',
    ]);
  });

  it('a time that another policy has out of a variable', async () => {
    const text = `${BASE}policies: { default: { lifetime: 99d, renewBefore: "\${R}", grace: 1d }, x: { grace: 40d } }\n`;
    const problems = await problemsOf(text, { env: { R: '33d' } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).not.toContain('33d');
  });
});
