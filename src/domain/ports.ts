import type { Duration, Instant } from './time.ts';

/** Tells the time. The composition root hands in the real one, tests and the simulation a clock of their own. */
export interface Clock {
  /** Wall-clock time; it may jump. Due-ness is decided by it. */
  now(): Instant;
  /** Milliseconds from an arbitrary start; it never jumps. Time-outs and token lives are measured with it. */
  monotonic(): Duration;
}

/** A source of random numbers. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** Makes identifiers. */
export interface Ids {
  /** A UUIDv7 (RFC 9562) whose time is `at`. */
  rotationId(at: Instant): string;
  /** An identifier of any shape, unique in practice: scans, processes. */
  unique(): string;
}

/** Timers and schedules. No delay is too long: the adapter splits what a JavaScript timer cannot hold. */
export interface Ticker {
  /**
   * Waits.
   * @throws the signal's reason as soon as `signal` is aborted.
   */
  sleep(duration: Duration, signal?: AbortSignal): Promise<void>;
  /** Calls `fire` at each time that the cron expression names (5 or 6 fields, seconds first) until stopped. */
  schedule(cron: string, timezone: string, fire: () => void): Schedule;
}

export interface Schedule {
  /** When `fire` is called next; null once stopped. */
  next(): Instant | null;
  stop(): void;
}

/** All ports together, as the composition root hands them down. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly ticker: Ticker;
}
