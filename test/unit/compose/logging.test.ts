import { describe, expect, it } from 'vitest';
import { logFor } from '../../../src/compose/logging.ts';
import { ConfigError } from '../../../src/domain/errors.ts';

const clock = { now: () => Date.parse('2026-03-01T12:00:00.000Z'), monotonic: () => 0 };

function written(env: Record<string, string>, isTTY = false): string {
  let text = '';
  const log = logFor({ isTTY, write: (line: string) => (text += line) }, env, clock);
  log.debug('fine', 'a detail');
  log.info('starting', 'rekeyd starts', { instance: 'prod' });
  return text;
}

describe('the log of a process', () => {
  it('is JSON lines with level as a word and time in ISO 8601', () => {
    expect(written({}).split('\n')).toHaveLength(2);
    expect(JSON.parse(written({}))).toMatchObject({
      level: 'info',
      time: '2026-03-01T12:00:00.000Z',
      event: 'starting',
      instance: 'prod',
    });
  });

  it('is readable on a terminal, or where the environment asks for it', () => {
    expect(() => JSON.parse(written({}, true)) as unknown).toThrow();
    expect(written({ REKEYD_LOG_FORMAT: 'pretty' })).toContain('rekeyd starts');
    expect(JSON.parse(written({ REKEYD_LOG_FORMAT: 'json' }, true))).toMatchObject({ event: 'starting' });
  });

  it('has the level of the environment', () => {
    expect(written({ REKEYD_LOG_LEVEL: 'error' })).toBe('');
    expect(written({ REKEYD_LOG_LEVEL: 'debug' })).toContain('a detail');
  });

  it("takes pino's other levels, at which rekeyd itself has nothing to say", () => {
    expect(written({ REKEYD_LOG_LEVEL: 'trace' })).toContain('a detail');
    expect(written({ REKEYD_LOG_LEVEL: 'fatal' })).toBe('');
  });

  it.each([{ REKEYD_LOG_LEVEL: 'loud' }, { REKEYD_LOG_FORMAT: 'xml' }])('refuses %j', (env) => {
    expect(() => written(env as Record<string, string>)).toThrow(ConfigError);
  });
});
