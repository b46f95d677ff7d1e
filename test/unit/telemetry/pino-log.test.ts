import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IssuerError } from '../../../src/domain/errors.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import type { Log } from '../../../src/telemetry/log.ts';
import { createLog } from '../../../src/telemetry/pino-log.ts';
import type { LogLevel } from '../../../src/telemetry/log-levels.ts';
import type { LogFormat } from '../../../src/telemetry/pino-log.ts';

const CANARY = 'c4nary/"value"\\+é=&\n';

function logTo(format: LogFormat, level: LogLevel = 'debug', colour = false): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const clock = { now: () => Date.UTC(2030, 0, 1, 14, 3, 7, 120) };
  return {
    lines,
    log: createLog({ format, level, clock, colour, destination: { write: (line) => lines.push(line) } }),
  };
}

function json(line: string | undefined): Record<string, unknown> {
  return JSON.parse(line ?? '') as Record<string, unknown>;
}

/** Every shape in which a value could slip out. */
function shapesOf(value: string): string[] {
  return [
    value,
    Buffer.from(value).toString('base64'),
    Buffer.from(value).toString('base64url'),
    Buffer.from(value).toString('hex'),
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
  ];
}

describe('JSON lines', () => {
  it('hold level as a word, ISO time of the clock port, event, fields and message', () => {
    const { log, lines } = logTo('json');
    log.warn('rotation-failed', 'the rotation failed', { issuer: 'data8', clientId: 'c1', reason: 'issuer-failed' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(json(lines[0])).toEqual({
      level: 'warn',
      time: '2030-01-01T14:03:07.120Z',
      event: 'rotation-failed',
      issuer: 'data8',
      clientId: 'c1',
      reason: 'issuer-failed',
      msg: 'the rotation failed',
    });
  });

  it('leave out what is below the level', () => {
    const { log, lines } = logTo('json', 'warn');
    log.debug('a', 'a');
    log.info('b', 'b');
    log.error('c', 'c');
    expect(lines.map((line) => json(line)['event'])).toEqual(['c']);
    const silent = logTo('json', 'silent');
    silent.log.error('d', 'd');
    expect(silent.lines).toEqual([]);
  });

  it('carry the fields of with(), the later over the earlier, each key once', () => {
    const { log, lines } = logTo('json');
    log.with({ issuer: 'data8', name: 'old' }).with({ name: 'new' }).info('e', 'm', { vault: 'local' });
    expect(json(lines[0])).toMatchObject({ issuer: 'data8', name: 'new', vault: 'local' });
    expect(lines[0]?.match(/"name"/g)).toHaveLength(1);
  });

  it('never write a key of their own twice, whatever a field is called', () => {
    const { log, lines } = logTo('json');
    log.info('e', 'm', { level: 'x', time: 'x', msg: 'x', event: 'x' });
    expect(json(lines[0])).toMatchObject({ level: 'info', event: 'e', msg: 'm', level_: 'x', event_: 'x' });
    for (const key of ['level', 'time', 'msg', 'event']) expect(lines[0]?.split(`"${key}":`)).toHaveLength(2);
  });

  it('survive cycles, exotic values and huge ones', () => {
    const { log, lines } = logTo('json');
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    log.info('e', 'm', {
      cycle,
      big: 12n,
      nan: Number.NaN,
      none: undefined,
      bad: new Date(Number.NaN),
      set: new Set([1]),
    });
    log.info('e', 'm', { long: 'x'.repeat(1_000_000), many: Array.from({ length: 10_000 }, (_, index) => index) });
    expect(json(lines[0])).toMatchObject({ big: '12', nan: 'NaN', bad: 'invalid date', set: [1] });
    expect(lines[1]?.length).toBeLessThan(5_000);
  });
});

describe.each<LogFormat>(['json', 'pretty'])('%s: no value gets out', (format) => {
  it('S1: of a SecretValue, wherever it sits', () => {
    const { log, lines } = logTo(format);
    const value = SecretValue.of(CANARY);
    log.with({ bound: value }).info('e', 'm', {
      value,
      text: `of ${String(value)}`,
      nested: { deep: [{ value }], set: new Set([value]) },
      map: new Map([['k', value]]),
    });
    const out = lines.join('');
    for (const shape of shapesOf(CANARY)) expect(out).not.toContain(shape);
    expect(out).toContain('[redacted]');
  });

  it('S1: of an error of somebody else, its stack, cause or fields', () => {
    const { log, lines } = logTo(format);
    const error = new TypeError(`cannot parse ${CANARY}`, { cause: new Error(CANARY) });
    Object.assign(error, { request: { headers: CANARY }, code: 'ECONNRESET' });
    log.error('e', 'm', { error, nested: { error, list: [error] }, aggregate: new AggregateError([error], CANARY) });
    const out = lines.join('');
    for (const shape of shapesOf(CANARY)) expect(out).not.toContain(shape);
    expect(out).toContain('unexpected TypeError ECONNRESET');
    expect(out).not.toContain('pino-log.test');
  });

  it('S1: of an object of a library, or of bytes', () => {
    const { log, lines } = logTo(format);
    class Response {
      readonly body = CANARY;
    }
    log.info('e', 'm', {
      response: new Response(),
      url: new URL(`https://user:${encodeURIComponent(CANARY)}@example.com`),
      bytes: Buffer.from(CANARY),
      headers: new Headers({ authorization: 'Bearer canary-token' }),
    });
    const out = lines.join('');
    for (const shape of [...shapesOf(CANARY), 'canary-token']) expect(out).not.toContain(shape);
    expect(out).toContain('[Response]');
  });

  it('but our own errors tell what a person needs', () => {
    const { log, lines } = logTo(format);
    const error = new IssuerError('forbidden', 'data8 answered 403', { issuer: 'data8', operation: 'listSecrets' });
    log.error('e', 'm', { error });
    expect(lines.join('')).toContain('data8 answered 403');
  });
});

describe('S7: control characters', () => {
  const hostile = 'a\u001b[2Jb\r\nFAKE\u009b31m\u2028c\u202ed\u0007';
  const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/;

  it('S7: are escaped in readable lines, and a line stays a line', () => {
    const { log, lines } = logTo('pretty');
    log.info('e', 'm', { description: hostile, [hostile]: 1, nested: { [hostile]: [hostile] } });
    log.info('e', 'm', { name: hostile, pid: hostile, hostname: hostile, caller: hostile });
    log.info('e', 'm', { type: 'Error', stack: hostile, err: hostile, message: hostile });
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).not.toMatch(acting);
    for (const line of lines) expect(line.trimEnd()).not.toContain('\n');
    expect(lines[0]).not.toMatch(acting);
    expect(lines[0]?.trimEnd()).not.toContain('\n');
    expect(lines[0]).toContain('\\u001b[2J');
  });

  it('S7: are escaped in JSON, with their meaning kept', () => {
    const { log, lines } = logTo('json');
    log.info('e', 'm', { description: hostile });
    expect(lines[0]).not.toMatch(acting);
    expect(lines[0]?.trimEnd()).not.toContain('\n');
    expect(json(lines[0])['description']).toBe(hostile);
  });

  it('S7: no text makes another line, or one that is not JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (key, text) => {
        for (const format of ['json', 'pretty'] as const) {
          const { log, lines } = logTo(format);
          log.info('e', 'm', { [`k${key}`]: text, list: [text] });
          expect(lines).toHaveLength(1);
          expect(lines[0]).not.toMatch(acting);
          expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1);
          if (format === 'json') expect(json(lines[0])['list']).toEqual([text.toWellFormed()]);
        }
      }),
    );
  });
});

describe('readable lines', () => {
  it('show time of day, level, message, event and fields', () => {
    const { log, lines } = logTo('pretty');
    log.info('rotation-settled', 'delivered everywhere', { name: 'prod-crm', note: 'two words', destinations: [1, 2] });
    expect(lines[0]).toBe(
      '[14:03:07.120] INFO: delivered everywhere  rotation-settled name=prod-crm note="two words" destinations=[1,2]\n',
    );
  });

  it('have colours where they are asked for, and only then', () => {
    const plain = logTo('pretty');
    plain.log.warn('e', 'm');
    expect(plain.lines[0]).not.toContain('\u001b');
    const coloured = logTo('pretty', 'debug', true);
    coloured.log.warn('e', 'm');
    expect(coloured.lines[0]).toContain('\u001b[');
  });
});
