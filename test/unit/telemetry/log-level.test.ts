import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../../src/domain/time.ts';
import { LogLevelSwitch } from '../../../src/telemetry/log-level.ts';
import { createLog } from '../../../src/telemetry/pino-log.ts';
import { silentMeter } from '../../../src/telemetry/meter.ts';
import { createEvents } from '../../../src/telemetry/telling.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { json, problemOf, serve, VIEWER } from '../http/fake-daemon.ts';

function start(level: 'info' | 'error' = 'info') {
  const { clock, ticker } = createManualPorts(Date.UTC(2030, 0, 1));
  const lines: string[] = [];
  const log = createLog({ level, format: 'json', clock, destination: { write: (line) => lines.push(line) } });
  const switched = new LogLevelSwitch(log, { clock, ticker, events: createEvents({ log, meter: silentMeter }) });
  const events = () => lines.map((line) => (JSON.parse(line) as { event: string }).event);
  return { clock, lines, log, child: log.with({ issuer: 'data8' }), switched, events };
}

describe('the level of the log', () => {
  it('is changed for all that writes to it, and goes back by itself', async () => {
    const { clock, child, log, switched, events } = start();
    child.debug('unheard', 'a detail');
    const view = switched.set('debug', clock.now() + 15 * MINUTE, 'socket');
    expect(view).toEqual({ level: 'debug', configured: 'info', until: '2030-01-01T00:15:00.000Z' });
    child.debug('heard', 'a detail');
    await clock.advance(14 * MINUTE);
    log.debug('heard', 'a detail');
    await clock.advance(MINUTE);
    child.debug('unheard', 'a detail');
    expect(events()).toEqual(['log-level', 'heard', 'heard', 'log-level']);
    expect(switched.view).toEqual({ level: 'info', configured: 'info', until: null });
    expect(clock.pending).toBe(0);
  });

  it('says that it falls silent before it does, and who asked for it', async () => {
    const { clock, lines, switched, events } = start();
    switched.set('error', clock.now() + MINUTE, 'ci');
    expect(events()).toEqual(['log-level']);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', actor: 'ci', to: 'error', was: 'info' });
    await clock.advance(MINUTE);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ actor: null, to: 'info', was: 'error', until: null });
  });

  it('a later change replaces an earlier one; the configured level ends it', async () => {
    const { clock, switched } = start('error');
    switched.set('debug', clock.now() + MINUTE, 'a');
    switched.set('warn', clock.now() + 5 * MINUTE, 'b');
    await clock.advance(2 * MINUTE);
    expect(switched.view.level).toBe('warn');
    expect(switched.set('error', clock.now() + 5 * MINUTE, 'b').until).toBeNull();
    expect(clock.pending).toBe(0);
  });
});

describe('/v1/log-level', () => {
  it('is shown to a viewer, and changed by an operator, for 15 minutes by default', async () => {
    await using http = await serve();
    expect(await (await http.ask('/v1/log-level', {}, VIEWER)).json()).toMatchObject({ level: 'info', until: null });
    expect((await http.ask('/v1/log-level', json({ level: 'debug' }, 'PUT'), VIEWER)).status).toBe(403);
    const answer = await http.ask('/v1/log-level', json({ level: 'debug' }, 'PUT'));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ level: 'debug', configured: 'info', until: '2030-01-01T00:15:00.000Z' });
    expect(http.lines.join('\n')).toContain('"act":"PUT /v1/log-level"');
    const hour = await http.ask('/v1/log-level', json({ level: 'warn', until: '1h' }, 'PUT'));
    expect(await hour.json()).toMatchObject({ level: 'warn', until: '2030-01-01T01:00:00.000Z' });
  });

  it.each([
    [{ level: 'silent' }, 'level'],
    [{ level: 'loud' }, 'level'],
    [{ level: 'debug', until: '25h' }, 'until'],
    [{ level: 'debug', until: '2029-12-31T00:00:00Z' }, 'until'],
    [{}, 'level'],
  ])('refuses %j', async (body, key) => {
    await using http = await serve();
    const problem = await problemOf(await http.ask('/v1/log-level', json(body, 'PUT')));
    expect(problem).toMatchObject({ status: 400, errors: [{ in: 'body', key }] });
  });
});
