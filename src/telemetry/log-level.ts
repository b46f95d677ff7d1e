import type { Clock, Ticker } from '../domain/ports.ts';
import { formatInstantOrNull } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { Events } from './events.ts';
import { LOG_LEVELS } from './log-levels.ts';
import type { LogLevel } from './log-levels.ts';
import type { Log } from './log.ts';

/** A log whose level may be changed; it holds for all that was made of it by `with`, too. */
export interface AdjustableLog extends Log {
  level: LogLevel;
}

export interface LogLevelView {
  readonly level: LogLevel;
  /** The one that it goes back to. */
  readonly configured: LogLevel;
  /** RFC 3339; null: it is the configured one. */
  readonly until: string | null;
}

/** Changes the level of a log for a while: it goes back by itself, so that `debug` is not left on. */
export class LogLevelSwitch {
  readonly #log: AdjustableLog;
  readonly #configured: LogLevel;
  readonly #parts: {
    readonly clock: Pick<Clock, 'now'>;
    readonly ticker: Pick<Ticker, 'sleep'>;
    readonly events: Events;
  };
  #change: { readonly until: Instant; readonly over: AbortController } | null = null;

  constructor(
    log: AdjustableLog,
    parts: { readonly clock: Pick<Clock, 'now'>; readonly ticker: Pick<Ticker, 'sleep'>; readonly events: Events },
  ) {
    this.#log = log;
    this.#configured = log.level;
    this.#parts = parts;
  }

  get view(): LogLevelView {
    return {
      level: this.#log.level,
      configured: this.#configured,
      until: formatInstantOrNull(this.#change?.until ?? null),
    };
  }

  /** Sets the level until then; the configured one ends an earlier change. Who asked is told. */
  set(level: LogLevel, until: Instant, actor: string): LogLevelView {
    this.#change?.over.abort();
    this.#change = null;
    if (level !== this.#configured) {
      const over = new AbortController();
      this.#change = { until, over };
      void this.#goBack(until, over.signal);
    }
    this.#apply(level, actor);
    return this.view;
  }

  /** Forgets that it is to go back. */
  close(): void {
    this.#change?.over.abort();
  }

  async #goBack(until: Instant, over: AbortSignal): Promise<void> {
    const { clock, ticker } = this.#parts;
    try {
      await ticker.sleep(Math.max(0, until - clock.now()), over);
    } catch {
      return; // changed again meanwhile, or over
    }
    this.#change = null;
    this.#apply(this.#configured, null);
  }

  #apply(level: LogLevel, actor: string | null): void {
    const was = this.#log.level;
    const tell = (): void =>
      this.#parts.events.tell({ type: 'log-level', actor, to: level, was, until: this.view.until });
    // at the more talkative of both, so that the log says that it falls silent
    if (LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(was)) {
      this.#log.level = level;
      tell();
    } else {
      tell();
      this.#log.level = level;
    }
  }
}
