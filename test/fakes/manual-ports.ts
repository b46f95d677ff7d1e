import type { Clock, Ids, Ports, Random, Schedule, Ticker } from '../../src/domain/ports.ts';
import type { Duration, Instant } from '../../src/domain/time.ts';
import { DAY, MINUTE, SECOND } from '../../src/domain/time.ts';

interface Timer {
  /** By the monotonic clock. */
  readonly at: Duration;
  readonly order: number;
  run(): void;
}

/** A clock that stands still until it is told to go. Wall-clock and monotonic time go together, but for {@link jump}. */
export class ManualClock implements Clock, Ticker {
  readonly #timers = new Set<Timer>();
  readonly schedules: ManualSchedule[] = [];
  #wall: Instant;
  #monotonic: Duration = 0;
  #order = 0;

  constructor(start: Instant) {
    this.#wall = start;
  }

  now(): Instant {
    return this.#wall;
  }

  monotonic(): Duration {
    return this.#monotonic;
  }

  sleep(duration: Duration, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        this.#timers.delete(timer);
        reject(signal?.reason as Error);
      };
      const timer: Timer = {
        at: this.#monotonic + Math.max(0, duration),
        order: ++this.#order,
        run: () => {
          signal?.removeEventListener('abort', fail);
          resolve();
        },
      };
      if (signal?.aborted === true) {
        fail();
        return;
      }
      signal?.addEventListener('abort', fail, { once: true });
      this.#timers.add(timer);
    });
  }

  /**
   * Understands the expressions "every N" in minutes (five fields) or seconds (six fields), which fire as time is advanced;
   * of any other, call `fire` by hand on the member of {@link schedules}.
   */
  schedule(cron: string, timezone: string, fire: () => void): Schedule {
    const schedule = new ManualSchedule(cron, timezone, fire, this, (at, run) => {
      this.#timers.add({ at: this.#monotonic + (at - this.#wall), order: ++this.#order, run });
    });
    this.schedules.push(schedule);
    return schedule;
  }

  /** Timers that wait. A test that expects silence can hold it to 0. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets everything run that can run without time passing (promises, and I/O that is done already). */
  async settle(rounds = 2): Promise<void> {
    for (let round = 0; round < rounds; round++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves time on, waking sleepers at their times, in order, each with everything that follows from it. */
  async advance(duration: Duration): Promise<void> {
    const end = this.#monotonic + duration;
    await this.settle();
    for (let timer = this.#next(end); timer !== null; timer = this.#next(end)) {
      this.#fire(timer);
      await this.settle();
    }
    this.#pass(end);
  }

  /**
   * Moves time on from sleeper to sleeper until `promise` settles, and gives its result.
   * @throws Error where that takes more than `limit` of virtual time, or nothing is left to wake.
   */
  async until<T>(promise: Promise<T>, limit: Duration = DAY): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    const end = this.#monotonic + limit;
    for (let idle = 0; ;) {
      await this.settle();
      // `mark` runs in between: the compiler cannot see it
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
      if (settled) return promise;
      const timer = this.#next(end);
      if (timer !== null) {
        idle = 0;
        this.#fire(timer);
      } else if (++idle > 200) {
        throw new Error(this.#timers.size === 0 ? 'nothing is left to wait for' : `still waiting after ${limit} ms`);
      } else {
        await new Promise((resolve) => setTimeout(resolve, 2)); // real I/O under way: files, sockets
      }
    }
  }

  /** Sets the wall clock forward or back; monotonic time and sleepers do not notice (a clock jump). */
  jump(duration: Duration): void {
    this.#wall += duration;
  }

  /** The machine stops for a while: all time passes at once, and only then does anything wake. */
  async freeze(duration: Duration): Promise<void> {
    this.#pass(this.#monotonic + duration);
    await this.advance(0);
  }

  #next(end: Duration): Timer | null {
    let first: Timer | null = null;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (first === null || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    return first;
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.#pass(Math.max(this.#monotonic, timer.at));
    timer.run();
  }

  #pass(to: Duration): void {
    this.#wall += to - this.#monotonic;
    this.#monotonic = to;
  }
}

/** A schedule of {@link ManualClock}. */
export class ManualSchedule implements Schedule {
  readonly cron: string;
  readonly timezone: string;
  readonly fire: () => void;
  readonly #clock: Clock;
  readonly #at: (at: Instant, run: () => void) => void;
  readonly #period: Duration | null;
  stopped = false;

  constructor(
    cron: string,
    timezone: string,
    fire: () => void,
    clock: Clock,
    at: (at: Instant, run: () => void) => void,
  ) {
    this.cron = cron;
    this.timezone = timezone;
    this.fire = fire;
    this.#clock = clock;
    this.#at = at;
    const match = /^\*\/(\d+)((?: \*){4,5})$/.exec(cron);
    this.#period = match === null ? null : Number(match[1]) * (match[2]?.length === 8 ? MINUTE : SECOND);
    this.#arm();
  }

  next(): Instant | null {
    if (this.stopped) return null;
    const period = this.#period ?? DAY;
    return (Math.floor(this.#clock.now() / period) + 1) * period;
  }

  stop(): void {
    this.stopped = true;
  }

  #arm(): void {
    const next = this.next();
    if (next === null || this.#period === null) return;
    this.#at(next, () => {
      if (this.stopped) return;
      this.#arm();
      this.fire();
    });
  }
}

/** Ports under virtual time: `clock` and `ticker` are one {@link ManualClock}. */
export interface ManualPorts extends Ports {
  readonly clock: ManualClock;
  readonly ticker: ManualClock;
}

/** The same start and seed give the same run. */
export function createManualPorts(start: Instant = Date.UTC(2030, 0, 1), seed = 1): ManualPorts {
  const clock = new ManualClock(start);
  return { clock, ticker: clock, random: seededRandom(seed), ids: countedIds(seed) };
}

/** Mulberry32. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next: () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

/** UUIDv7 whose random part is a seed and a counter. Different seeds never give the same id. */
export function countedIds(seed = 1, first = 0): Ids {
  let count = first;
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return {
    rotationId: (at) => {
      const time = hex(at, 12);
      return `${time.slice(0, 8)}-${time.slice(8)}-7000-8${hex(seed % 4096, 3)}-${hex(++count, 12)}`;
    },
    unique: () => `unique-${seed}-${++count}`,
  };
}
