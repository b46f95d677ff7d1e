import { safeMessage } from '../../domain/errors.ts';
import { MINUTE, SECOND } from '../../domain/time.ts';
import type { Duration } from '../../domain/time.ts';
import type { CredentialKey } from '../../ledger/records.ts';
import { Refusal } from '../api.ts';
import type { Engine } from '../engine.ts';
import { refuseWhereAllHeld } from '../held.ts';
import type { BulkApi, BulkCaller, BulkView, BulkWish } from './bulk-api.ts';
import { changeBulks, readBulks, readList, writeList } from './bulk-note.ts';
import type { BulkRecord } from './bulk-note.ts';
import { BulkRun } from './bulk-run.ts';
import { bulkView } from './bulk-view.ts';
import { select } from './selection.ts';

/** After an error of the ledger. */
const AFTER_ERROR: Duration = 30 * SECOND;
/** Another process that has just begun one may be about to store its list. */
const TO_STORE: Duration = MINUTE;

/** Bulks: asked for, worked through, gone on with after a restart, cancelled. One runs at a time. */
export class Bulks implements BulkApi {
  readonly #engine: Engine;
  #run: BulkRun | null = null;
  /** The work on `#run`; kept until the daemon stops. */
  #work: Promise<void> = Promise.resolve();
  #isResuming = false;
  /** Wakes the work before its time. */
  #bell = new AbortController();
  /** Kept while a turn is going on. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine) {
    this.#engine = engine;
    engine.onVisited = (key) => {
      if (this.#run?.isFollowing(key) === true) this.wake();
    };
  }

  /** Something may be begun now that was held before. */
  wake(): void {
    this.#bell.abort();
  }

  /** Kept when nothing is worked on any more, once the daemon stops. */
  idle(): Promise<void> {
    return this.#work;
  }

  /** How many of the running one's credentials are neither delivered nor given up; null: none runs. */
  get remaining(): { readonly id: string; readonly total: number; readonly remaining: number } | null {
    if (this.#run === null) return null;
    const { bulk, counts } = this.#run;
    return { id: bulk.id, total: bulk.total, remaining: counts.waiting + counts.rotating };
  }

  /** Goes on with the one that the ledger says is running, where this process does not. Never throws. */
  async resume(): Promise<void> {
    if (this.#run !== null || this.#isResuming) return;
    this.#isResuming = true;
    try {
      await this.#resume();
    } catch (error) {
      if (!this.#engine.leaving.signal.aborted) this.#warn(error);
    } finally {
      this.#isResuming = false;
    }
  }

  async previewBulk(wish: BulkWish, limit: number) {
    refuseWhereAllHeld(this.#engine);
    const [newest] = await readBulks(this.#engine.world.ledger);
    return (await select(this.#engine, wish, newest?.id ?? null, limit)).preview;
  }

  async startBulk(wish: BulkWish, confirm: string, { actor, from }: BulkCaller): Promise<BulkView> {
    const { ledger, clock, ids, events } = this.#engine.world;
    const before = await readBulks(ledger);
    const same = before.find(({ digest }) => digest === confirm);
    // before anything is refused: what was promised once is not taken back
    if (same !== undefined) return this.#view(same);
    refuseWhereAllHeld(this.#engine);
    refuseWhereRunning(before);
    const previous = before[0]?.id ?? null;
    const { keys, preview } = await select(this.#engine, wish, previous, 0);
    if (preview.digest !== confirm) throw changed(preview.rotate);
    if (keys.length === 0) throw new Refusal('conflict', 'nothing that matches can be rotated now: see its preview');
    const now = clock.now();
    const id = ids.rotationId(now);
    const bulk: BulkRecord = {
      ...{ id, digest: confirm, ...wish, actor, from, startedAt: now, total: keys.length, end: null },
    };
    const stored = await changeBulks(ledger, (present) => {
      if (present.some(({ digest }) => digest === confirm)) return null;
      refuseWhereRunning(present);
      if ((present[0]?.id ?? null) !== previous) throw changed(preview.rotate);
      return [bulk, ...present];
    });
    // the same request came twice at once, and the other was first
    const first = stored.find(({ digest }) => digest === confirm) ?? bulk;
    if (first.id !== id) return this.#view(first);
    await this.#store(bulk, keys);
    const { match, force, note, total } = bulk;
    const { grace } = bulkView(bulk, null);
    events.tell({ type: 'bulk-started', bulkId: id, actor, from, match, grace, note, force, total });
    await this.#launch(bulk, keys, true);
    return this.#view(bulk);
  }

  async bulks(): Promise<readonly BulkView[]> {
    return (await readBulks(this.#engine.world.ledger)).map((bulk) => this.#view(bulk));
  }

  async bulk(id: string): Promise<BulkView | null> {
    return (await this.bulks()).find((each) => each.id === id) ?? null;
  }

  async cancelBulk(id: string, actor: string): Promise<BulkView> {
    const run = this.#run?.bulk.id === id ? this.#run : null;
    if (run !== null) {
      run.stopped = true;
      // what is about to be begun is seen before it is taken back
      await this.#turn;
    }
    try {
      await run?.withdraw();
      return await this.#end(id, actor, run);
    } catch (error) {
      if (run !== null) run.stopped = false;
      throw error;
    }
  }

  #view(bulk: BulkRecord): BulkView {
    return bulkView(bulk, this.#run?.bulk.id === bulk.id ? this.#run : null);
  }

  async #resume(): Promise<void> {
    const { ledger, clock } = this.#engine.world;
    const bulk = (await readBulks(ledger)).find(({ end }) => end === null);
    if (bulk === undefined) return;
    const keys = await readList(ledger, bulk.id);
    if (keys !== null) return this.#launch(bulk, keys, false);
    // it ended before it stored whom it is about: nothing of it was begun, and nobody was told that it was
    if (Math.abs(clock.now() - bulk.startedAt) > TO_STORE) await this.#end(bulk.id, 'rekeyd', null);
  }

  /** Whom it is about. Where that cannot be stored, it is over before it begins. */
  async #store({ id }: BulkRecord, keys: readonly CredentialKey[]): Promise<void> {
    try {
      await writeList(this.#engine.world.ledger, id, keys);
    } catch (error) {
      // where this fails, too, it is found without its list later on
      await this.#end(id, 'rekeyd', null).catch((also: unknown) => this.#warn(also));
      throw error;
    }
  }

  async #launch(bulk: BulkRecord, keys: readonly CredentialKey[], isNew: boolean): Promise<void> {
    if (this.#run?.bulk.id === bulk.id) return;
    const run = new BulkRun(this.#engine, bulk);
    this.#run = run;
    try {
      await run.load(keys, isNew);
    } catch (error) {
      this.#run = null;
      throw error;
    }
    this.#work = this.#workThrough(run);
  }

  /** Never throws. */
  async #workThrough(run: BulkRun): Promise<void> {
    const { ticker, ledger } = this.#engine.world;
    const stopping = this.#engine.leaving.signal;
    while (this.#run === run && !stopping.aborted) {
      this.#bell = new AbortController();
      let wait = AFTER_ERROR;
      try {
        const present = (await readBulks(ledger)).find(({ id }) => id === run.bulk.id);
        if (present === undefined || present.end !== null) break;
        const turn = run.turn();
        this.#turn = turn.catch(() => undefined);
        wait = await turn;
        if (run.isOver && !run.stopped) {
          await this.#end(run.bulk.id, null, run);
          break;
        }
      } catch (error) {
        this.#warn(error);
      }
      await ticker.sleep(wait, AbortSignal.any([stopping, this.#bell.signal])).catch(() => undefined);
    }
    if (this.#run === run) this.#run = null;
  }

  /** Notes the end, once, and tells of it. @param by null: it came to its end. @throws Refusal, LedgerError */
  async #end(id: string, by: string | null, run: BulkRun | null): Promise<BulkView> {
    const { ledger, clock, events } = this.#engine.world;
    const now = clock.now();
    const ending = { isOurs: false };
    const stored = await changeBulks(ledger, (bulks) => {
      const bulk = bulks.find((each) => each.id === id);
      ending.isOurs = false;
      if (bulk === undefined) throw new Refusal('not-found', `there is no bulk ${id}`);
      if (bulk.end !== null) {
        if (by === null) return null;
        throw new Refusal('conflict', `bulk ${id} is over: there is nothing to cancel`);
      }
      ending.isOurs = true;
      const { counts, unwell } = run ?? bulkView(bulk, null);
      return bulks.map((each) =>
        each.id === id ? { ...each, end: { at: now, cancelledBy: by, counts, unwell } } : each,
      );
    });
    if (this.#run === run) this.#run = null;
    this.wake();
    const bulk = stored.find((each) => each.id === id);
    if (bulk === undefined) throw new Refusal('not-found', `there is no bulk ${id}`);
    const view = bulkView(bulk, null);
    if (!ending.isOurs) return view;
    const told = { bulkId: id, actor: bulk.actor, counts: view.counts };
    if (by !== null) events.tell({ type: 'bulk-cancelled', ...told, by });
    else events.tell({ type: 'bulk-finished', ...told, seconds: (now - bulk.startedAt) / SECOND });
    return view;
  }

  #warn(error: unknown): void {
    this.#engine.world.log.warn('bulk-held', 'The bulk could not go on; it is tried again', {
      error: safeMessage(error),
    });
  }
}

function refuseWhereRunning(bulks: readonly BulkRecord[]): void {
  const running = bulks.find(({ end }) => end === null);
  if (running === undefined) return;
  throw new Refusal('bulk-running', `bulk ${running.id} of ${running.match} is running: wait for it, or cancel it`);
}

function changed(rotate: number): Refusal {
  const message = `this is not the set that was confirmed: ${rotate} would be rotated now; look at a new preview`;
  return new Refusal('bulk-changed', message);
}
