import { SECOND } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { Terms } from '../config/terms.ts';
import type { IssuerTiming, ListedCredential } from '../issuers/contract.ts';
import type { CredentialKey, CredentialRecord, RotationRecord } from '../ledger/records.ts';
import { heldUntil, isHeldByAnother } from '../rotation/conclude.ts';
import type { Circumstances } from '../rotation/observation.ts';
import type { Subject } from '../rotation/observe.ts';
import { withGraceEnds } from '../rotation/pauses.ts';
import { isDatedAhead } from '../rotation/redate.ts';
import type { Visit } from '../rotation/tend.ts';
import { LONGEST_LEASE } from '../rotation/tenure.ts';
import { retirementOpening } from '../rotation/windows.ts';
import type { World } from '../rotation/world.ts';
import { Dispatcher } from './dispatcher.ts';
import { pauseNoteAt, readPauseNote } from './pause-note.ts';
import type { PauseNote } from './pause-note.ts';
import { nextResync, Roster } from './roster.ts';
import { Restraints } from './restraints.ts';
import { WakeUps } from './wake-ups.ts';

/** What scans, triggers and timers share: who is there, what holds for all, and the dispatcher that visits. */
export class Engine {
  readonly world: World;
  readonly roster: Roster;
  readonly restraints: Restraints;
  readonly dispatcher: Dispatcher;
  readonly stopping = new AbortController();
  /** Aborted as well when other terms take over: nothing is begun any more, and what was begun goes on. */
  readonly leaving = new AbortController();
  readonly giveUp = new AbortController();
  /** Told of each visit that ended. */
  onVisited: (key: CredentialKey) => void = () => undefined;
  #pause: PauseNote = { pause: null, past: [] };
  readonly #wakeUps: WakeUps;
  /** The engine of the terms that have taken over; null: ours hold. */
  #successor: Engine | null = null;
  #wakeBefore: () => Instant | null = () => null;
  #once = false;

  constructor(world: World) {
    this.world = world;
    this.roster = new Roster(world);
    this.restraints = new Restraints(world, this.leaving.signal);
    this.#wakeUps = new WakeUps(world, this.leaving.signal, {
      before: () => (this.#once ? null : this.#wakeBefore()),
      visit: async (key) => {
        const until = await this.#heldElsewhereUntil(key);
        const subject = until === null ? await this.rememberedSubject(key) : null;
        if (until !== null) this.wakeAt(key, until);
        else if (subject !== null) await this.dispatcher.visit(subject);
      },
    });
    this.dispatcher = new Dispatcher(world, {
      stopping: this.stopping.signal,
      leaving: this.leaving.signal,
      giveUp: this.giveUp.signal,
      once: () => this.#once,
      issuerFailed: (key, error) => this.restraints.issuerFailed(key, error.message),
      issuerWorked: (key) => this.restraints.issuerWorked(key),
      heard: (issuer, answered) => this.restraints.heard(issuer, answered, !this.#once),
      pausedAll: async () => (await this.refreshPause()).pause,
      reserveStart: (key, ahead) => this.restraints.reserveStart(key, ahead),
      // no longer than what a lost call may take anyway
      leaseFor: (issuer) =>
        Math.max(
          2 * SECOND,
          Math.min(LONGEST_LEASE, world.issuers.get(issuer)?.timing.requestLifetime ?? LONGEST_LEASE),
        ),
      resyncAt: (key, now) => nextResync(key, world.settings.resync, now),
      ended: (visit) => this.#ended(visit),
      failed: (key, error) => this.#wakeUps.failed(key, error),
      passOn: (key) => void this.#successor?.visitSoon(key),
    });
  }

  /** Reads what outlives a restart. @throws LedgerError where nothing could be kept: full disk, read-only. */
  async open(options: { once: boolean; wakeBefore: () => Instant | null }): Promise<void> {
    this.#once = options.once;
    this.#wakeBefore = options.wakeBefore;
    await this.world.ledger.check();
    await this.prepare();
  }

  /**
   * Takes over from the engine of other terms, in one step that waits for nothing and cannot fail. That one begins nothing
   * any more and brings to rest what it began; each credential that it still visits is passed on then. What must not be
   * forgotten comes along: the hour's starts, open breakers, silent endpoints, lists, wake-ups.
   */
  takeOver(before: Engine): void {
    before.#successor = this;
    before.leaving.abort(new Error('other terms have taken over'));
    this.restraints.takeOver(before.restraints);
    this.roster.learnFrom(before.roster);
    this.dispatcher.follow(before.dispatcher);
    this.#wakeUps.takeOver(before.#wakeUps);
  }

  /** Stops: nothing is begun any more, and waiting ends. */
  stop(): void {
    const reason = new Error('stopping');
    this.leaving.abort(reason);
    this.stopping.abort(reason);
  }

  /** Reads what a plan must know: the pause, and, once for a process, the starts of the last hour. @throws LedgerError */
  async prepare(): Promise<void> {
    await this.refreshPause();
    await this.restraints.prepare();
  }

  get pause(): PauseNote {
    return this.#pause;
  }

  async refreshPause(): Promise<PauseNote> {
    this.#pause = await readPauseNote(this.world.ledger, this.world.clock.now());
    await this.#successor?.refreshPause();
    return this.#pause;
  }

  /** What the rules say of a credential as the ledger last saw it. */
  termsOf({ issuer, clientId, description }: CredentialRecord): Terms {
    return this.roster.terms(issuer, { clientId, description });
  }

  /** How slow an issuer may be; of one that is not configured any more nothing is deleted. */
  timingOf(issuer: string): IssuerTiming {
    return this.world.issuers.get(issuer)?.timing ?? { requestLifetime: 0, listLag: 0, maxClockSkew: 0 };
  }

  /** How far an issuer's clock is ahead of ours; null where it never told. */
  skewOf(issuer: string): Duration | null {
    return this.world.issuers.get(issuer)?.skew() ?? null;
  }

  /** From when the maintenance windows of a credential let a deletion go that may go at `at`; null: they never do. */
  retirementOpening(record: CredentialRecord, at: Instant): Instant | null {
    return retirementOpening(this.termsOf(record), this.timingOf(record.issuer), at);
  }

  /** A record with the dates of its deletions as pauses of everything have put them off: to be shown. */
  readonly dated = (record: CredentialRecord): CredentialRecord =>
    withGraceEnds(record, { pastPauses: this.pause.past });

  /** A rotation with the date of its last deletion put off alike. @throws LedgerError */
  async datedRotation(rotation: RotationRecord): Promise<RotationRecord> {
    if (rotation.deleteAfter === null || rotation.state !== 'grace' || this.pause.past.length === 0) return rotation;
    const record = await this.world.ledger.credential(rotation);
    if (record === null) return rotation;
    const dates = this.dated(record).secrets.flatMap(({ secretId, deleteAfter }) =>
      deleteAfter !== null && rotation.supersedes.includes(secretId) ? [deleteAfter] : [],
    );
    return { ...rotation, deleteAfter: Math.max(rotation.deleteAfter, ...dates) };
  }

  /** What the core is told of a credential before it looks. */
  subject(key: CredentialKey, listed: ListedCredential | null, trigger: Subject['trigger'] = 'schedule'): Subject {
    const termsFor = (description: string) => this.roster.terms(key.issuer, { clientId: key.clientId, description });
    const terms = termsFor(listed?.description ?? '');
    return {
      key,
      listed,
      trigger,
      termsFor,
      sharedWith: this.roster.sharedWith(key, terms),
      termsDigest: this.roster.digestOf(terms),
      circumstances: () => this.#circumstances(key.issuer),
    };
  }

  /** The subject as the ledger last saw it, for what is between two scans; null where the ledger has none. */
  async rememberedSubject(key: CredentialKey): Promise<Subject | null> {
    await this.refreshPause();
    const record = await this.world.ledger.credential(key);
    if (record === null) return null;
    const listed = record.goneSince === null ? { clientId: key.clientId, description: record.description } : null;
    return this.subject(key, listed);
  }

  /** Visits a credential now, or once more after the visit that is going on. */
  async visitNow(key: CredentialKey): Promise<void> {
    if (this.#successor !== null) return this.#successor.visitNow(key);
    const subject = await this.rememberedSubject(key);
    if (subject !== null) void this.dispatcher.visit(subject, 'again');
  }

  /** As {@link visitNow}, for whom nobody waits. It does not throw. */
  async visitSoon(key: CredentialKey): Promise<void> {
    try {
      await this.visitNow(key);
    } catch (error) {
      this.#wakeUps.failed(key, error);
    }
  }

  /**
   * Until when another process has a rotation of it, as the ledger says now; null: none has. A look could do nothing before
   * that, and a lease is taken again and again while a rotation waits for long. A lease of a clock that is ahead is for a look.
   */
  async #heldElsewhereUntil(key: CredentialKey): Promise<Instant | null> {
    const { clock, ledger, processId } = this.world;
    const beholder = { processId, now: clock.now(), timing: this.timingOf(key.issuer) };
    const rotations = await ledger.relevantRotations(key, beholder.now);
    const held = rotations.find(
      (each) => isHeldByAnother(each, beholder) && !isDatedAhead(each.leaseUntil ?? 0, beholder.now, LONGEST_LEASE),
    );
    return held === undefined ? null : heldUntil(held, beholder);
  }

  #circumstances(issuer: string): Circumstances {
    const now = this.world.clock.now();
    const { pause, past } = pauseNoteAt(this.#pause, now);
    return {
      pause,
      pastPauses: past,
      breakerUntil: this.restraints.breakerUntil(issuer),
      pacedUntil: this.restraints.pacedUntil(),
      issuerSilent: this.restraints.isSilent(issuer),
    };
  }

  /** Visits a credential at a date that lies before the next scan; of a later one the scans know. */
  wakeAt(key: CredentialKey, dueAt: Instant): void {
    this.#wakeUps.dueAt(key, dueAt);
  }

  #ended({ record }: Visit): void {
    this.onVisited(record);
    this.#wakeUps.visited(record);
  }
}
