import { describe, expect, it } from 'vitest';
import { ConfigError, IssuerError, LedgerError } from '../../../src/domain/errors.ts';
import { cli, settingsFor } from './bench.ts';

describe('the command line', () => {
  it('prints help and version on stdout and exits 0', async () => {
    const help = await cli(['--help']);
    expect(help.code).toBe(0);
    for (const command of [
      'run',
      'once',
      'plan',
      'explain',
      'init',
      'check',
      'status',
      'rotate',
      'pause',
      'resume',
      'read',
      'data8',
      'emulator',
      'demo',
    ]) {
      expect(help.out).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    }
    expect(await cli(['--version'])).toMatchObject({ code: 0, out: '9.8.7\n' });
    expect(await cli(['rotate', '--help'])).toMatchObject({ code: 0, err: '' });
    expect(await cli(['data8', 'secrets', 'create', '--help'])).toMatchObject({ code: 0 });
  });

  it.each([
    [['nonsense']],
    [[]],
    [['rotate']],
    [['rotate', 'a/b', '--grace', 'soon']],
    [['once', '--limit', '0']],
    [['once', '--only', '{a}{b}']],
    [['plan', '--what']],
    [['emulator', '--port', '70000']],
    [['emulator', '--client-id', 'only']],
    [['data8', 'secrets', 'create']],
    [['data8', 'secrets', 'create', 'id', '--expires', 'soon']],
    [['pause']],
    [['pause', 'a/b', '--all']],
    [['pause', '--all', '--until', 'tomorrow']],
    [['status', '--state', 'fine']],
    [['run', 'superfluous']],
    [['data8', 'secrets', 'update', 'id', '1']],
  ])('exits 2 for wrong usage: %j', async (args) => {
    const ran = await cli(args);
    expect(ran.code).toBe(2);
    expect(ran.out).toBe('');
    expect(ran.err).not.toBe('');
  });

  it('exits 2 for a configuration that cannot be used, with every problem on a line of its own', async () => {
    const ran = await cli(['run'], {
      settings: () => {
        throw new ConfigError([
          { file: 'rekeyd.yaml', line: 3, column: 5, key: 'mode', message: 'is not a mode' },
          { file: 'rekeyd.yaml', line: 9, column: 1, key: 'typo', message: 'is unknown' },
        ]);
      },
    });
    expect(ran.code).toBe(2);
    expect(ran.err.split('\n').slice(1, 3)).toEqual([
      'rekeyd.yaml:3:5: mode: is not a mode',
      'rekeyd.yaml:9:1: typo: is unknown',
    ]);
  });

  it('S1: of an error that is not its own it shows the class and the code, never the message', async () => {
    const broken = Object.assign(new Error('canary-value'), { code: 'ENOSPC' });
    const ran = await cli(['plan'], { daemon: { plan: () => Promise.reject(broken) } });
    expect(ran).toMatchObject({ code: 1, out: '', err: 'rekeyd: unexpected Error ENOSPC\n' });
  });

  it('S7: control characters in a message come out escaped', async () => {
    const error = new IssuerError('rejected', 'title \u001b[31m of \u0007 the issuer', {
      issuer: 'data8',
      operation: 'list',
    });
    const ran = await cli(['plan'], { daemon: { plan: () => Promise.reject(error) } });
    expect(ran.code).toBe(1);
    expect(ran.err).not.toContain('\u001b');
    expect(ran.err).toContain('\\u001b');
  });

  it('closes what it opened, also when the work fails', async () => {
    const ran = await cli(['plan'], { daemon: { plan: () => Promise.reject(new LedgerError('no')) } });
    expect(ran.closed).toEqual(['daemon read-only']);
  });

  it('takes configurations from -c, else REKEYD_CONFIG, else the default', async () => {
    expect((await cli(['run', '-c', 'a', '--config', 'b'], { env: { REKEYD_CONFIG: 'c' } })).loaded).toEqual([
      ['a', 'b'],
    ]);
    expect((await cli(['run'], { env: { REKEYD_CONFIG: 'c:d' } })).loaded).toEqual([['c', 'd']]);
    expect((await cli(['run'])).loaded).toEqual([['config/rekeyd.yaml']]);
  });

  it('run hands on the exit code', async () => {
    expect((await cli(['run'], { run: 1, settings: settingsFor() })).code).toBe(1);
  });

  it.each([[['--help']], [['--version']], [['rotate', '--help']]])(
    'exits 1 where its output cannot be written: %j',
    async (args) => {
      expect((await cli(args, { unwritten: true })).code).toBe(1);
    },
  );

  it('once keeps its exit code where its output cannot be written: its work is done all the same', async () => {
    const result = { looked: 3, acted: 1, unwell: [], errors: [] };
    const ran = await cli(['once'], { daemon: { once: async () => result }, unwritten: true });
    expect(ran).toMatchObject({ code: 0, out: 'looked at 3, acted on 1, unwell 0\n' });
  });

  it('emulator hands on its options', async () => {
    const ran = await cli([
      'emulator',
      '--port',
      '0',
      '--data',
      'x.json',
      '--client-id',
      'a',
      '--client-secret',
      'b',
      '--credential',
      'shop (prod)',
    ]);
    expect(ran.emulators).toEqual([
      { port: 0, data: 'x.json', clientId: 'a', clientSecret: 'b', credentials: ['shop (prod)'] },
    ]);
  });
});
