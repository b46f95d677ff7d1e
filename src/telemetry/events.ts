import { z } from 'zod';
import { BULK_FATES } from '../domain/bulk.ts';
import { CREDENTIAL_STATES } from '../domain/credential-state.ts';
import { DESTINATION_STATES } from '../domain/destination-state.ts';
import { REASONS } from '../domain/reason.ts';
import { OUTCOMES, STEPS, TRIGGERS } from '../domain/rotation-state.ts';
import { LOG_LEVELS } from './log-levels.ts';

/** How loud an event is; `debug` ones are kept to the log. */
export type EventLevel = 'debug' | 'info' | 'warn' | 'error';

const text = z.string();
const textOrNull = z.string().nullable();
const time = z.string().nullable();
const reason = z.enum(REASONS);
const count = z.int();

const issuer = { issuer: text };
const credential = { ...issuer, clientId: text, name: text };
const rotation = { ...credential, reason, rotationId: text, generation: count };
const entry = { vault: text, entry: text };
/** `rotationId`: null where a copy is of a secret whose rotation this ledger does not have. */
const delivery = { ...credential, reason, rotationId: textOrNull, ...entry, generation: count, secretId: text };
const deletion = { ...credential, reason, secretId: text };
const bulk = { bulkId: text, actor: text };
/** How many credentials of a bulk stand how. */
const fates = z.record(z.enum(BULK_FATES), count);
const byPerson = { ...credential, actor: text };

/** What became of what somebody asked for. */
export const AUDIT_OUTCOMES = ['done', 'refused', 'failed'] as const;

/** What had the configuration loaded again: a SIGHUP, a change of its files, another try after a vault could not be opened. */
export const RELOAD_TRIGGERS = ['signal', 'files', 'retry'] as const;
export type ReloadTrigger = (typeof RELOAD_TRIGGERS)[number];

/** Where a configuration is wrong; `message` quotes nothing that came out of a variable or a file. */
const configProblem = z.object({
  file: textOrNull,
  line: count.nullable(),
  column: count.nullable(),
  key: text,
  message: text,
});

function event<Shape extends z.ZodRawShape>(level: EventLevel, message: string, shape: Shape) {
  return { level, message, shape: z.object(shape) };
}

/**
 * All that rekeyd tells of what it does: a closed list. The log, the metrics, `GET /v1/events` and the webhooks are fed from
 * it, and the log's `event` is the name here. No field can hold a value of a secret. Explained in docs/events.md; a test
 * holds that page to this list. Times are RFC 3339 texts, null for never.
 */
export const EVENTS = {
  // a rotation, in its order
  'rotation-requested': event('info', 'A rotation was asked for', { ...byPerson, rotationId: text }),
  'limits-forced': event('warn', 'Limits would have held this rotation back: a person forced it past them', {
    ...byPerson,
    rotationId: text,
    bulkId: textOrNull,
    limits: z.array(reason).readonly(),
  }),
  'rotation-intended': event('info', 'A new secret is to be made', { ...rotation, trigger: z.enum(TRIGGERS) }),
  'window-missed': event('warn', 'No maintenance window comes in time: the rotation begins outside of them', {
    ...rotation,
    expires: time,
  }),
  'secret-created': event('info', 'The issuer made a new secret', { ...rotation, secretId: text }),
  'response-lost': event('warn', 'It is not known whether the secret was made: it is looked for by its marker', {
    ...rotation,
    error: text,
  }),
  'secret-verified': event('info', 'The token endpoint accepts the new secret', { ...rotation, secretId: text }),
  'secret-extended': event('info', 'The new secret has its full life', { ...rotation, expires: time }),
  'entry-delivered': event('info', 'Delivered to the vault and read back', delivery),
  'entry-kept': event('debug', 'The entry holds it already: nothing was written', delivery),
  'delivery-failed': event('warn', 'Could not deliver to the vault; it is tried again', { ...delivery, error: text }),
  'delivery-overtaken': event('warn', 'The entry holds a newer generation than this one', delivery),
  'delivery-incomplete': event('warn', 'Some destinations lack the new generation; the old secret stays valid', {
    ...rotation,
    missing: count,
  }),
  'rotation-settled': event('info', 'All destinations serve the new secret; the grace of the old one runs', {
    ...rotation,
    supersedes: z.array(text).readonly(),
    deleteAfter: time,
    seconds: z.number(),
  }),
  'rotation-done': event('info', 'The rotation is over: nothing of what it replaced is left', rotation),
  'rotation-abandoned': event('warn', 'The rotation ended before all destinations served its secret', {
    ...rotation,
    wanted: reason,
    outcome: z.enum(OUTCOMES),
    step: z.enum(STEPS).nullable(),
    error: textOrNull,
    retriedAs: textOrNull,
  }),
  'rotation-lost': event('warn', 'Another process moved this rotation on; this one lets it go', rotation),

  // deletions
  'secret-retired': event('info', 'The old secret was deleted', { ...deletion, rotationId: textOrNull, outcome: text }),
  'secret-reaped': event('info', 'A leftover secret was deleted', {
    ...deletion,
    rotationId: textOrNull,
    outcome: text,
  }),
  'grace-restarted': event('warn', 'An old secret was served again, or may have been: its grace starts anew', {
    ...credential,
    secretId: text,
    deleteAfter: time,
  }),
  'deletion-waiting': event('warn', 'The grace is over, but the old secret stays for now', deletion),
  'deletion-failed': event('warn', 'Could not delete a secret; it is tried again', {
    ...deletion,
    action: z.enum(['retire', 'reap']),
    error: text,
  }),

  // what a look found
  'credential-state': event('info', 'The credential is in another state', {
    ...credential,
    reason,
    state: z.enum(CREDENTIAL_STATES),
    was: z.enum(CREDENTIAL_STATES).nullable(),
  }),
  'destination-state': event('warn', 'A destination does not serve what it should', {
    ...credential,
    ...entry,
    state: z.enum(DESTINATION_STATES),
    error: textOrNull,
  }),
  'generation-unknown': event('warn', 'A higher generation than this ledger knows was seen: treated as rebuilt', {
    ...credential,
    generation: count,
    known: count,
  }),
  'mark-restored': event('warn', 'The mark of an entry had been taken off; it was written back', {
    ...credential,
    reason,
    ...entry,
  }),
  'marker-restored': event('warn', 'The marker of a secret had been taken off; it was written back', {
    ...credential,
    reason,
    secretId: text,
  }),
  'restore-failed': event('warn', 'Could not write a mark back', {
    ...credential,
    reason,
    vault: textOrNull,
    entry: textOrNull,
    secretId: textOrNull,
    error: text,
  }),
  'copy-failed': event('warn', 'Could not copy the value to a destination that lacks it', {
    ...credential,
    reason,
    secretId: text,
    error: textOrNull,
  }),
  'visit-failed': event('error', 'A credential could not be worked on; it is tried again soon', {
    ...issuer,
    clientId: text,
    error: text,
  }),

  // an issuer
  'scan-failed': event('error', 'The issuer could not be listed; nothing is concluded from that', {
    ...issuer,
    reason,
    error: text,
  }),
  'scan-finished': event('info', 'A scan is over: its work is dispatched', {
    scanId: text,
    looked: count,
    failedIssuers: count,
    seconds: z.number(),
  }),
  'scan-skipped': event('warn', 'The last scan is still going on: this one is skipped', { scanId: text }),
  'breaker-opened': event('error', 'Several credentials failed in a row: no new rotations at this issuer for now', {
    ...issuer,
    reason,
    until: time,
    error: text,
  }),
  'breaker-closed': event('info', 'The issuer works again', issuer),
  'token-endpoint-silent': event('error', 'The token endpoint does not answer: nothing new is made until it does', {
    ...issuer,
    reason,
  }),
  'token-endpoint-answers': event('info', 'The token endpoint answers again', issuer),

  // people
  paused: event('info', 'A credential was paused', byPerson),
  resumed: event('info', 'A credential was resumed', byPerson),
  'paused-all': event('warn', 'Everything was paused', { actor: text }),
  'resumed-all': event('warn', 'Everything was resumed', { actor: text }),
  'retirement-requested': event('info', 'The end of a grace was asked for', { ...byPerson, rotationId: text }),
  'destination-forgotten': event('warn', 'A destination no longer holds deletions back', { ...byPerson, ...entry }),
  'bulk-started': event('warn', 'Somebody had many credentials rotated at once', {
    ...bulk,
    from: text,
    match: text,
    grace: textOrNull,
    note: textOrNull,
    force: z.boolean(),
    total: count,
  }),
  'bulk-finished': event('info', 'The bulk is over: each of its credentials was delivered, failed or was skipped', {
    ...bulk,
    counts: fates,
    seconds: z.number(),
  }),
  'bulk-cancelled': event('warn', 'The bulk was ended before its end; what had begun goes on', {
    ...bulk,
    by: text,
    counts: fates,
  }),
  audit: event('info', 'Somebody asked for something to be done', {
    actor: textOrNull,
    act: text,
    from: text,
    issuer: textOrNull,
    clientId: textOrNull,
    rotationId: textOrNull,
    note: textOrNull,
    status: count,
    outcome: z.enum(AUDIT_OUTCOMES),
  }),

  // the daemon
  'daemon-started': event('info', 'The schedule is set; the first scan begins', {
    instance: text,
    mode: text,
    nextScan: time,
  }),
  'config-reloaded': event('info', 'Other settings hold from now on', {
    trigger: z.enum(RELOAD_TRIGGERS),
    changed: z.array(text).readonly(),
    mode: text,
  }),
  'config-refused': event(
    'error',
    'The configuration files cannot be used as they are now: the settings before go on',
    {
      trigger: z.enum(RELOAD_TRIGGERS),
      problems: z.array(configProblem).readonly(),
    },
  ),
  'log-level': event('info', 'The level of the log was changed', {
    actor: textOrNull,
    to: z.enum(LOG_LEVELS),
    was: z.enum(LOG_LEVELS),
    until: time,
  }),
  'daemon-stopped': event('info', 'Nothing is under way any more', { instance: text }),
} as const;

export type EventName = keyof typeof EVENTS;
export const EVENT_NAMES = Object.keys(EVENTS) as EventName[];

/** One event: its name as `type`, and the fields that {@link EVENTS} gives it. */
export type RekeydEvent = {
  [Name in EventName]: { readonly type: Name } & Readonly<z.output<(typeof EVENTS)[Name]['shape']>>;
}[EventName];

/** Takes events. It neither throws nor waits: telling must never hold up what is told of. */
export interface Events {
  tell(event: RekeydEvent): void;
}

/** How loud this very event is. */
export function levelOf(event: RekeydEvent): EventLevel {
  switch (event.type) {
    case 'credential-state':
      return event.state === 'blocked' || event.state === 'failing' ? 'warn' : 'info';
    case 'scan-finished':
      return event.looked > 0 || event.failedIssuers > 0 ? 'info' : 'debug';
    case 'bulk-finished':
      return event.counts.failed > 0 ? 'warn' : 'info';
    case 'audit':
      return event.outcome === 'done' ? 'info' : 'warn';
    default:
      return EVENTS[event.type].level;
  }
}
