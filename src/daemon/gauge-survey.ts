import { SECOND } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialRecord } from '../ledger/records.ts';
import { printable } from '../telemetry/printable.ts';
import { isRuled } from './ruled.ts';

/** One value of a gauge. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What maintenance windows say of a credential. */
export interface Calendar {
  /** From when they let a deletion go that may go at `at`; null: they never do. */
  retirementOpening(record: CredentialRecord, at: Instant): Instant | null;
  /** From when they let its renewal begin; null: it has none, or is never due. */
  renewalStart(record: CredentialRecord): Instant | null;
}

const NO_WINDOWS: Calendar = { retirementOpening: (_record, at) => at, renewalStart: () => null };

/** The gauges that need a look at every credential's record. */
export const SURVEYED = [
  'ownExpires',
  'expires',
  'renew',
  'start',
  'behind',
  'paused',
  'retirementsBlocked',
  'resyncLag',
] as const;
export type Surveyed = (typeof SURVEYED)[number];

/**
 * Takes credential records one by one and keeps just what the gauges show of them: nothing of an issuer that is not
 * configured, and of a credential that is gone only how late its next look is, for nobody can act on either. Without
 * `perCredential` only numbers an issuer are kept, so that memory does not grow with the credentials.
 */
export class Survey {
  readonly #now: Instant;
  readonly #perCredential: boolean;
  readonly #samples: Record<'expires' | 'renew' | 'start' | 'behind' | 'paused', Sample[]> = {
    expires: [],
    renew: [],
    start: [],
    behind: [],
    paused: [],
  };
  readonly #blocked = new Map<string, number>();
  readonly #oldestResync = new Map<string, Instant>();
  readonly #ownExpires: Sample[] = [];
  readonly #ownClients: ReadonlyMap<string, string>;
  readonly #calendar: Calendar;

  /** @param issuers those that are configured. @param ownClients the client that rekeyd is at each issuer. */
  constructor(
    now: Instant,
    issuers: readonly string[],
    perCredential: boolean,
    ownClients: ReadonlyMap<string, string> = new Map(),
    calendar: Calendar = NO_WINDOWS,
  ) {
    this.#calendar = calendar;
    this.#now = now;
    this.#ownClients = ownClients;
    this.#perCredential = perCredential;
    for (const issuer of issuers) {
      this.#blocked.set(issuer, 0);
      this.#oldestResync.set(issuer, now);
    }
  }

  add(record: CredentialRecord): void {
    const oldest = this.#oldestResync.get(record.issuer);
    if (oldest === undefined || record.state === 'ignored') return;
    this.#oldestResync.set(record.issuer, Math.min(oldest, record.resyncAt));
    if (record.goneSince !== null) return;
    const blocked = this.#blocked.get(record.issuer) ?? 0;
    this.#blocked.set(record.issuer, blocked + blockedRetirements(record, this.#now, this.#calendar));
    if (this.#ownClients.get(record.issuer) === record.clientId) this.#addOwn(record);
    if (this.#perCredential) this.#addSeries(record);
  }

  samples(): Readonly<Record<Surveyed, readonly Sample[]>> {
    return {
      ...this.#samples,
      ownExpires: this.#ownExpires,
      retirementsBlocked: [...this.#blocked].map(([issuer, value]) => ({ labels: { issuer }, value })),
      resyncLag: [...this.#oldestResync].map(([issuer, oldest]) => ({
        labels: { issuer },
        value: (this.#now - oldest) / SECOND,
      })),
    };
  }

  /** The first to end of those that live: it may be the one that rekeyd logs in with. */
  #addOwn({ issuer, secrets }: CredentialRecord): void {
    const ends = secrets.flatMap(({ expires, missingSince }) =>
      expires === null || missingSince !== null || expires <= this.#now ? [] : [expires],
    );
    if (ends.length > 0) this.#ownExpires.push({ labels: { issuer }, value: Math.min(...ends) / SECOND });
  }

  #addSeries(record: CredentialRecord): void {
    const labels = { issuer: record.issuer, credential: record.clientId };
    const name = printable(record.name);
    const managed = isRuled(record);
    const expires = record.current === null ? lastToExpire(record) : record.current.expires;
    if (expires !== null) {
      this.#samples.expires.push({ labels: { ...labels, name, managed: String(managed) }, value: expires / SECOND });
    }
    if (managed && record.renewAt !== null) {
      this.#samples.renew.push({ labels: { ...labels, name }, value: record.renewAt / SECOND });
      const start = this.#calendar.renewalStart(record);
      if (start !== null) this.#samples.start.push({ labels: { ...labels, name }, value: start / SECOND });
    }
    for (const { vault, entry, former, state } of record.destinations) {
      if (former) continue;
      this.#samples.behind.push({ labels: { ...labels, vault, entry }, value: state === 'served' ? 0 : 1 });
    }
    if (isPaused(record, this.#now)) this.#samples.paused.push({ labels, value: 1 });
  }
}

/**
 * Superseded secrets that are still alive although no grace holds them any more, and a maintenance window came since; or
 * although no grace is running.
 */
function blockedRetirements(record: CredentialRecord, now: Instant, calendar: Calendar): number {
  return record.secrets.filter(
    (secret) =>
      secret.role === 'superseded' &&
      secret.missingSince === null &&
      (secret.expires === null || secret.expires > now) &&
      (secret.deleteAfter === null ||
        (secret.deleteAfter <= now && (calendar.retirementOpening(record, secret.deleteAfter) ?? now) <= now)),
  ).length;
}

/** Null where there is no secret, or one that never expires. Expired ones count: they say that nothing is left. */
function lastToExpire(record: CredentialRecord): Instant | null {
  let last: Instant | null = null;
  for (const { expires, missingSince } of record.secrets) {
    if (missingSince !== null) continue;
    if (expires === null) return null;
    last = Math.max(last ?? expires, expires);
  }
  return last;
}

function isPaused(record: CredentialRecord, now: Instant): boolean {
  const { pause } = record;
  return record.state === 'paused' || (pause !== null && (pause.until === null || pause.until > now));
}
