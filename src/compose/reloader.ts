import { changedKeys, NEEDS_RESTART } from '../config/changes.ts';
import type { Settings } from '../config/settings.ts';
import { ConfigError, safeMessage } from '../domain/errors.ts';
import type { ConfigProblem } from '../domain/errors.ts';
import { MINUTE, SECOND } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import type { ReloadTrigger } from '../telemetry/events.ts';
import type { Surroundings } from './backends.ts';
import type { ConfigFiles, FileStates } from './config-files.ts';
import { ConfigWatch } from './config-watch.ts';
import { closeUnused, openBackends } from './opened.ts';
import type { Opened } from './opened.ts';
import type { Setups } from './setups.ts';

/** How often the files are looked at. A change is taken up at the second look that sees it. */
export const LOOK_EVERY: Duration = 10 * SECOND;
/** How long a vault that could not be opened is left alone. */
const TRY_AGAIN_AFTER: Duration = MINUTE;
/** How long closing waits for a reload that is under way. */
const PATIENCE: Duration = 2 * SECOND;

export interface ReloaderParts {
  readonly files: ConfigFiles;
  readonly setups: Setups;
  readonly around: Surroundings;
  /** Hands other settings to what is not of the daemon: HTTP, webhooks. It must not fail. */
  readonly adopt: (settings: Settings) => Promise<void>;
}

/**
 * Loads the configuration anew when asked to, and when its files change. What cannot be used is refused as a whole, told,
 * and leaves everything as it was; what differs is taken over without a request being lost.
 */
export class Reloader {
  readonly #parts: ReloaderParts;
  readonly #watch = new ConfigWatch();
  readonly #closing = new AbortController();
  #asked: ReloadTrigger | null = null;
  #working: Promise<void> | null = null;
  /** What was told last of a configuration that is refused; empty: the one in use is what the files say. */
  #refused = '';
  /** By the monotonic clock: when what failed for reasons outside of the configuration is tried again. */
  #retryAt: Duration | null = null;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
  }

  /** Looks at the files from now on. @param seen what they held when the settings in use were loaded. */
  start(seen: FileStates): void {
    this.#watch.loaded(seen);
    void this.#lookOn();
  }

  /** Loads it anew, now or once what is under way is over. @returns a promise that is kept then. It does not throw. */
  request(trigger: ReloadTrigger): Promise<void> {
    this.#asked = trigger;
    this.#working ??= this.#work();
    return this.#working;
  }

  /** Looks and loads no more; what is under way leaves everything as it was. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('stopping'));
    const { ticker } = this.#parts.around.ports;
    const waiting = new AbortController();
    const patience = ticker.sleep(PATIENCE, waiting.signal).catch(() => undefined);
    await Promise.race([this.#working, patience]);
    waiting.abort();
  }

  async #lookOn(): Promise<void> {
    const { clock, ticker } = this.#parts.around.ports;
    for (;;) {
      try {
        await ticker.sleep(LOOK_EVERY, this.#closing.signal);
      } catch {
        return; // closed
      }
      if (await this.#watch.look()) await this.request('files');
      else if (this.#retryAt !== null && clock.monotonic() >= this.#retryAt) await this.request('retry');
    }
  }

  async #work(): Promise<void> {
    for (let trigger = this.#asked; trigger !== null; trigger = this.#asked) {
      this.#asked = null;
      if (this.#closing.signal.aborted) break;
      try {
        await this.#reload(trigger);
      } catch (error) {
        this.#refuse(trigger, problemsOf(error)); // a defect, which must not stop what works
      }
    }
    this.#working = null;
  }

  async #reload(trigger: ReloadTrigger): Promise<void> {
    const { files, setups, around } = this.#parts;
    const loaded = await files.loadAgain();
    this.#watch.loaded(loaded.seen);
    this.#retryAt = null;
    if ('error' in loaded) {
      this.#refuse(trigger, loaded.error.problems);
      return;
    }
    const { settings } = loaded;
    const before = setups.current.world;
    const changed = changedKeys(before.settings, settings);
    if (changed.length === 0) {
      const level = this.#refused === '' ? 'debug' : 'info';
      around.log[level]('config-unchanged', 'The configuration files say what is in use', { trigger });
      this.#take();
      return;
    }
    const fixed = changed.filter((key) => NEEDS_RESTART.has(key));
    if (fixed.length > 0) {
      this.#refuse(trigger, fixed.map(restartFor));
      return;
    }
    try {
      const opened = await openBackends(settings, around, { readOnly: false, before });
      if (!(await this.#replaceBy(opened))) return;
    } catch (error) {
      this.#retryAt = around.ports.clock.monotonic() + TRY_AGAIN_AFTER;
      this.#refuse(trigger, problemsOf(error));
      return;
    }
    for (const name of before.issuers.keys()) if (!settings.issuers.has(name)) around.meter.issuerGone(name);
    await this.#parts.adopt(settings);
    before.events.tell({ type: 'config-reloaded', trigger, changed, mode: settings.mode });
    this.#take();
  }

  /** @returns false where it is closed meanwhile: nothing has changed then. @throws LedgerError */
  async #replaceBy(opened: Opened): Promise<boolean> {
    const { setups, around } = this.#parts;
    const before = setups.current.world;
    try {
      if (this.#closing.signal.aborted) throw this.#closing.signal.reason;
      await setups.replaceBy({ ...before, ...opened });
      return true;
    } catch (error) {
      await closeUnused(opened, [before], around.log);
      if (this.#closing.signal.aborted) return false;
      throw error;
    }
  }

  #take(): void {
    this.#refused = '';
    const { meter, ports } = this.#parts.around;
    meter.configTaken(ports.clock.now());
  }

  /** Told once for each trouble, but to a person who asks again, every time. */
  #refuse(trigger: ReloadTrigger, problems: readonly ConfigProblem[]): void {
    const { setups, around } = this.#parts;
    around.meter.configRefused();
    const told = JSON.stringify(problems);
    if (told === this.#refused && trigger !== 'signal') return;
    this.#refused = told;
    setups.current.world.events.tell({ type: 'config-refused', trigger, problems: [...problems] });
  }
}

function restartFor(key: string): ConfigProblem {
  const message = 'cannot be changed while rekeyd runs: restart it to take it over, or put it back';
  return { file: null, line: null, column: null, key, message };
}

function problemsOf(error: unknown): readonly ConfigProblem[] {
  if (error instanceof ConfigError) return error.problems;
  return [{ file: null, line: null, column: null, key: '', message: safeMessage(error) }];
}
