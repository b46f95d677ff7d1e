import type { Clock } from '../domain/ports.ts';
import { MINUTE } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import type { Events } from './events.ts';

/** So many acts by nobody are passed on within any minute. */
export const MOST_OF_STRANGERS = 10;

/**
 * Passes everything on to `listener`, but acts by nobody (`audit` without an actor: no token let them in) only in a bounded
 * number, all addresses together. Listeners keep a bounded number of events: whoever reaches the port could have them hold
 * nothing else (S4). The log is none of them: it has each.
 */
export function boundStrangers(listener: Events, clock: Pick<Clock, 'monotonic'>): Events {
  /** When those of the last minute were passed on, oldest first. */
  const passed: Duration[] = [];
  return {
    tell(event) {
      if (event.type === 'audit' && event.actor === null) {
        const now = clock.monotonic();
        while (passed[0] !== undefined && now - passed[0] >= MINUTE) passed.shift();
        if (passed.length >= MOST_OF_STRANGERS) return;
        passed.push(now);
      }
      listener.tell(event);
    },
  };
}
