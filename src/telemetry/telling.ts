import { SECOND } from '../domain/time.ts';
import { EVENTS, levelOf } from './events.ts';
import type { Events, RekeydEvent } from './events.ts';
import type { Log } from './log.ts';
import type { Meter } from './meter.ts';

/** So many secrets whose deletion waits are remembered; beyond that, what was told may be told again. */
const MOST_WAITING = 10_000;

/**
 * Where events go: to the log under their name, to the metrics that count them, and to `listeners` (the stream of
 * GET /v1/events, webhooks), those at `debug` excepted. A deletion that goes on waiting for one reason is told once.
 */
export function createEvents({
  log,
  meter,
  listeners = [],
}: {
  readonly log: Log;
  readonly meter: Meter;
  readonly listeners?: readonly Events[];
}): Events {
  const waiting = new Map<string, string>();
  return {
    tell(event) {
      if (isRepeated(event, waiting)) return;
      const { type, ...fields } = event;
      const level = levelOf(event);
      log[level](type, EVENTS[type].message, fields as Record<string, unknown>);
      count(event, meter);
      if (level !== 'debug') for (const listener of listeners) listener.tell(event);
    },
  };
}

/** Says nothing. */
export const silentEvents: Events = { tell: () => undefined };

function isRepeated(event: RekeydEvent, waiting: Map<string, string>): boolean {
  if (event.type !== 'deletion-waiting' && event.type !== 'secret-retired') return false;
  const secret = JSON.stringify([event.issuer, event.clientId, event.secretId]);
  if (event.type === 'secret-retired') {
    waiting.delete(secret);
    return false;
  }
  if (waiting.get(secret) === event.reason) return true;
  if (waiting.size >= MOST_WAITING) waiting.clear();
  waiting.set(secret, event.reason);
  return false;
}

function count(event: RekeydEvent, meter: Meter): void {
  switch (event.type) {
    case 'rotation-settled':
      meter.rotation(event.issuer, event.reason, 'ok');
      meter.rotationDuration(event.issuer, event.seconds * SECOND);
      break;
    case 'rotation-abandoned':
      meter.rotation(event.issuer, event.wanted, event.outcome);
      break;
    case 'entry-delivered':
    case 'entry-kept':
      meter.delivery(event.vault, 'ok');
      break;
    case 'delivery-failed':
      meter.delivery(event.vault, 'failed');
      break;
    case 'delivery-overtaken':
      meter.delivery(event.vault, 'skipped');
      break;
    case 'secret-retired':
      meter.retirement(event.issuer, 'ok');
      break;
    case 'secret-reaped':
      meter.orphan(event.issuer, 'ok');
      break;
    case 'deletion-failed':
      if (event.action === 'retire') meter.retirement(event.issuer, 'failed');
      else meter.orphan(event.issuer, 'failed');
      break;
    case 'window-missed':
      meter.windowMissed(event.issuer);
      break;
    case 'scan-finished':
      meter.scan(event.seconds * SECOND);
      break;
    default:
  }
}
