import { safeMessage } from '../domain/errors.ts';
import { DAY, SECOND } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { Engine } from './engine.ts';
import { scan, tellDates } from './scan.ts';
import type { ScanOptions, ScanReport } from './scan.ts';

/** Finished rotations are kept this long. */
const HISTORY = 400 * DAY;

/** A scan that runs, or has run. `done` is kept when it is over, whatever became of it. */
export interface StartedScan {
  readonly report: ScanReport;
  readonly done: Promise<void>;
}

/** A daemon's scans, one at a time, and what is done beside those of the schedule. Nothing here throws. */
export class Scans {
  readonly #engine: Engine;
  #running: StartedScan | null = null;
  #last: ScanReport | null = null;
  #pruned: Instant | null = null;
  /** The end of the last pause of everything after which all that is paused or blocked was looked at. */
  #lookedAfter: Instant | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The newest one; null: none was started yet. */
  get last(): ScanReport | null {
    return this.#last;
  }

  /** Kept when none runs. */
  async idle(): Promise<void> {
    await this.#running?.done;
  }

  /** Starts one; where one runs, that is it. */
  start(options: ScanOptions): StartedScan {
    if (this.#running !== null) return this.#running;
    const { clock, ids, log } = this.#engine.world;
    const report: ScanReport = {
      scanId: ids.unique(),
      startedAt: clock.now(),
      finishedAt: null,
      looked: 0,
      errors: [],
    };
    this.#last = report;
    const done = this.#scan(report, options)
      .catch((error: unknown) => {
        report.errors.push(safeMessage(error));
        report.finishedAt = clock.now();
        log.error('scan-failed', 'A scan could not go on; the next one tries again', { error: safeMessage(error) });
      })
      .finally(() => (this.#running = null));
    this.#running = { report, done };
    return this.#running;
  }

  /**
   * A pause of everything may have been given another end than those know that were looked at in it: they are looked at once
   * it is over.
   */
  async #scan(report: ScanReport, options: ScanOptions): Promise<void> {
    // another process that shares the ledger may have been told to pause, or to resume
    await this.#engine.refreshPause();
    const end = this.#engine.pause.past.at(-1)?.until ?? null;
    const everything = options.everything === 'due' && end !== this.#lookedAfter ? 'blocked-too' : options.everything;
    await scan(this.#engine, report, { ...options, everything });
    if (report.errors.length === 0) this.#lookedAfter = end;
  }

  /** Starts the one that the schedule asks for, and prunes history once a day. @returns whether one was started. */
  startScheduled(): boolean {
    if (this.#running !== null) {
      this.#engine.world.events.tell({ type: 'scan-skipped', scanId: this.#running.report.scanId });
      void this.#wakeForSkipped();
      return false;
    }
    this.start({ everything: 'due', trigger: 'schedule', limit: null, only: null });
    void this.prune();
    return true;
  }

  /** The one that runs may have looked at what was due only after the one that is skipped, and left it to that. */
  async #wakeForSkipped(): Promise<void> {
    const { clock, issuers, ledger, log } = this.#engine.world;
    // the schedule may have fired a moment late
    const since = clock.now() - SECOND;
    try {
      for (const name of issuers.keys()) {
        await tellDates(ledger, name, since, (key, dueAt) => this.#engine.wakeAt(key, dueAt));
      }
    } catch (error) {
      log.warn('wake-ups-unknown', 'What is due before the next scan could not be read; that scan finds it', {
        error: safeMessage(error),
      });
    }
  }

  /** Has the ledger forget the rotations that were finished long ago; where that was done within a day, nothing. */
  async prune(): Promise<void> {
    const { clock, ledger, log } = this.#engine.world;
    if (this.#pruned !== null && clock.now() - this.#pruned < DAY) return;
    this.#pruned = clock.now();
    try {
      await ledger.prune(clock.now() - HISTORY);
    } catch (error) {
      log.warn('prune-failed', 'Old history could not be pruned; a later scan tries again', {
        error: safeMessage(error),
      });
    }
  }
}
