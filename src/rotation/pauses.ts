import type { Duration, Instant } from '../domain/time.ts';
import type { CredentialRecord, EndedPause, Pause, SecretRecord } from '../ledger/records.ts';
import type { Situation } from './decision.ts';
import type { Circumstances } from './observation.ts';

/** So many pauses of its own a secret remembers one by one; the older ones as one. */
const KEPT = 50;

/** The pause that holds a credential now: its own, or that of everything. */
export function pauseOf({ observation, record }: Pick<Situation, 'observation' | 'record'>): Pause | null {
  return activePause(record.pause, observation.now) ?? activePause(observation.circumstances.pause, observation.now);
}

/** A pause with an end is over by itself then. */
export function activePause(pause: Pause | null, now: Instant): Pause | null {
  return pause !== null && (pause.until === null || pause.until > now) ? pause : null;
}

/** A grace that runs from `from` on, the first one or another. Only pauses since then put it off. */
export function startGrace(
  secret: SecretRecord,
  from: Instant,
  grace: Duration,
): SecretRecord & { deleteAfter: Instant } {
  const paused = (secret.paused ?? []).map((each) => lastingFrom(from, each)).filter((each) => total([each]) > 0);
  return { ...secret, grace, deleteAfter: from + grace + total(paused), paused };
}

/**
 * Until when a secret's grace runs: `deleteAfter`, put off by the pauses of everything since the grace began, but for what
 * lay in pauses of its credential's own, which `deleteAfter` has in it. Null: none is running. A request to retire ends it.
 */
export function graceEnd(secret: SecretRecord, { pastPauses }: Pick<Circumstances, 'pastPauses'>): Instant | null {
  const { deleteAfter, paused = [], retireRequested } = secret;
  if (deleteAfter === null || retireRequested) return deleteAfter;
  const began = graceBegan(secret, deleteAfter);
  const ofAll = pastPauses.map((each) => lastingFrom(began, each));
  // of those that stand for several nobody knows what lay in both: what is counted twice only makes the grace longer
  const apart = (each: EndedPause): boolean => each.packed !== true;
  const counted = ofAll.filter(apart).flatMap((each) => paused.filter(apart).map((own) => common(each, own)));
  return deleteAfter + total(ofAll) - total(counted);
}

/** A record whose dates of deletions are those until which the graces run: to be shown, not to be stored. */
export function withGraceEnds(
  record: CredentialRecord,
  circumstances: Pick<Circumstances, 'pastPauses'>,
): CredentialRecord {
  if (circumstances.pastPauses.length === 0) return record;
  const secrets = record.secrets.map((each) => ({ ...each, deleteAfter: graceEnd(each, circumstances) }));
  return { ...record, secrets };
}

/**
 * Takes a credential's own pause off when it is over, or is ended at `end`, and puts the dates of its superseded secrets
 * off by its length.
 */
export function endPause(record: CredentialRecord, end: Instant): CredentialRecord {
  const { pause } = record;
  if (pause === null) return record;
  const until = pause.until === null ? end : Math.min(pause.until, end);
  const ended = { since: pause.since, until };
  return { ...record, pause: null, secrets: record.secrets.map((secret) => putOff(secret, ended)) };
}

function putOff(secret: SecretRecord, pause: EndedPause): SecretRecord {
  const { deleteAfter, paused = [], retireRequested } = secret;
  if (deleteAfter === null || retireRequested) return secret;
  const own = lastingFrom(graceBegan(secret, deleteAfter), pause);
  if (total([own]) === 0) return secret;
  const all = [...paused, own];
  const kept = all.length <= KEPT ? all : [packed(all.slice(0, 1 - KEPT)), ...all.slice(1 - KEPT)];
  return { ...secret, deleteAfter: deleteAfter + total([own]), paused: kept };
}

/** A pause of its own moves `deleteAfter`, never the beginning: pauses of everything are counted from there. */
function graceBegan({ grace, paused = [] }: SecretRecord, deleteAfter: Instant): Instant {
  return deleteAfter - (grace ?? 0) - total(paused);
}

function lastingFrom(began: Instant, pause: EndedPause): EndedPause {
  return { ...pause, since: Math.max(began, pause.since) };
}

/**
 * One for several, as long as all of them, up to the end of the last: none is moved to an earlier time, so that whenever a
 * grace began, no less of them lies after that.
 */
export function packed(pauses: readonly EndedPause[]): EndedPause {
  const until = Math.max(...pauses.map((each) => each.until));
  return { since: until - total(pauses), until, packed: true };
}

/** What lies in both; it ends before it begins where nothing does. */
function common(one: EndedPause, other: EndedPause): EndedPause {
  return { since: Math.max(one.since, other.since), until: Math.min(one.until, other.until) };
}

function total(pauses: readonly EndedPause[]): Duration {
  return pauses.reduce((sum, { since, until }) => sum + Math.max(0, until - since), 0);
}
