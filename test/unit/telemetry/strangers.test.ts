import { describe, expect, it } from 'vitest';
import { MINUTE, SECOND } from '../../../src/domain/time.ts';
import type { RekeydEvent } from '../../../src/telemetry/events.ts';
import { boundStrangers, MOST_OF_STRANGERS } from '../../../src/telemetry/strangers.ts';
import { ManualClock } from '../../fakes/manual-ports.ts';

const act = (actor: string | null, from: string): RekeydEvent => ({
  type: 'audit',
  actor,
  act: 'POST /v1/pause',
  from,
  issuer: null,
  clientId: null,
  rotationId: null,
  note: null,
  status: actor === null ? 401 : 403,
  outcome: 'refused',
});

function start() {
  const clock = new ManualClock(0);
  const heard: RekeydEvent[] = [];
  return { clock, heard, events: boundStrangers({ tell: (event) => void heard.push(event) }, clock) };
}

describe('S4: acts by nobody', () => {
  it('S4: are passed on ten times a minute, whatever the address', async () => {
    const { clock, heard, events } = start();
    for (let n = 0; n < 50; n += 1) {
      events.tell(act(null, `192.0.2.${n}`));
      await clock.advance(SECOND);
    }
    expect(MOST_OF_STRANGERS).toBe(10);
    expect(heard).toEqual(Array.from({ length: 10 }, (_, n) => act(null, `192.0.2.${n}`)));

    // the first is a minute old, the second is not yet; a clock that is put forward does not count
    clock.jump(MINUTE);
    await clock.advance(10 * SECOND);
    for (let n = 0; n < 3; n += 1) events.tell(act(null, '192.0.2.99'));
    expect(heard).toHaveLength(11);
    await clock.advance(MINUTE);
    for (let n = 0; n < 30; n += 1) events.tell(act(null, '192.0.2.99'));
    expect(heard).toHaveLength(21);
  });

  it('S4: hold back nothing else, neither acts of who is known', () => {
    const { heard, events } = start();
    const others: RekeydEvent[] = [
      act('dashboards', '192.0.2.1'),
      { type: 'breaker-closed', issuer: 'data8' },
      { type: 'log-level', actor: null, to: 'info', was: 'debug', until: null },
    ];
    for (let n = 0; n < 50; n += 1) events.tell(act(null, '192.0.2.1'));
    for (let n = 0; n < 50; n += 1) for (const event of others) events.tell(event);
    expect(heard.slice(MOST_OF_STRANGERS)).toEqual(Array.from({ length: 50 }, () => others).flat());
  });
});
