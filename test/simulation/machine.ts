import type { Clock, Ids, Ports, Random, Schedule, Ticker } from '../../src/domain/ports.ts';
import type { Duration, Instant } from '../../src/domain/time.ts';
import { HOUR, MINUTE } from '../../src/domain/time.ts';
import { countedIds, seededRandom } from '../fakes/manual-ports.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A machine with a clock of its own, which may be wrong and may jump. */
export class Machine {
  readonly name: string;
  readonly time: VirtualTime;
  /** How far its clock is ahead of true time. */
  ahead: Duration;

  constructor(name: string, time: VirtualTime, ahead: Duration) {
    this.name = name;
    this.time = time;
    this.ahead = ahead;
  }

  now(): Instant {
    return this.time.now + this.ahead;
  }
}

/**
 * One run of a process on a machine, with the ports that the daemon is handed. Once it has ended, nothing that it waits
 * for answers it any more; while it is frozen it hears nothing, and all of it once it thaws.
 */
export class SimProcess implements Ports {
  readonly id: string;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly ticker: Ticker;
  #over = false;
  #frozen: (() => void)[] | null = null;

  /** @param run counts the runs of this machine: each has ids and random numbers of its own. */
  constructor(machine: Machine, run: number, seed: number) {
    this.machine = machine;
    this.id = `${machine.name}.${run}`;
    const letter = machine.name.charCodeAt(machine.name.length - 1);
    const own = seed * 31 + run * 7919 + letter;
    this.random = seededRandom(own);
    // no two machines make the same id, as they could by the few digits of a seed
    this.ids = countedIds(own >>> 0, letter * 2 ** 32);
    const { time } = machine;
    this.clock = { now: () => machine.now(), monotonic: () => time.now - time.start };
    this.ticker = {
      sleep: (duration, signal) => this.#sleep(duration, signal),
      schedule: (cron, _timezone, fire) => this.#schedule(cron, fire),
    };
  }

  get isOver(): boolean {
    return this.#over;
  }

  get isFrozen(): boolean {
    return this.#frozen !== null;
  }

  /** SIGKILL. What it sent is on its way all the same. */
  end(): void {
    this.#over = true;
    this.#frozen = null;
  }

  /** SIGSTOP, or a machine that is not scheduled. */
  freeze(): void {
    if (!this.#over) this.#frozen ??= [];
  }

  thaw(): void {
    const held = this.#frozen ?? [];
    this.#frozen = null;
    for (const run of held) this.deliver(run);
  }

  /** Lets the process hear of something. */
  deliver(run: () => void): void {
    if (this.#over) return;
    if (this.#frozen !== null) this.#frozen.push(run);
    else run();
  }

  #sleep(duration: Duration, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        waiting.cancelled = true;
        reject(signal?.reason as Error);
      };
      const waiting = this.machine.time.after(duration, () =>
        this.deliver(() => {
          signal?.removeEventListener('abort', fail);
          resolve();
        }),
      );
      if (signal?.aborted === true) fail();
      else signal?.addEventListener('abort', fail, { once: true });
    });
  }

  /** Every N minutes or hours, by the machine's clock: what the simulation's configurations say. */
  #schedule(cron: string, fire: () => void): Schedule {
    const period = periodOf(cron);
    let stopped = false;
    const next = (): Instant => (Math.floor(this.machine.now() / period) + 1) * period;
    const arm = (): void => {
      this.machine.time.after(next() - this.machine.now(), () => {
        if (stopped || this.#over) return;
        arm();
        this.deliver(() => {
          if (!stopped) fire();
        });
      });
    };
    arm();
    return { next: () => (stopped ? null : next()), stop: () => (stopped = true) };
  }
}

function periodOf(cron: string): Duration {
  const minutes = /^\*\/(\d+) \* \* \* \*$/.exec(cron);
  if (minutes !== null) return Number(minutes[1]) * MINUTE;
  const hours = /^0 \*\/(\d+) \* \* \*$/.exec(cron);
  if (hours !== null) return Number(hours[1]) * HOUR;
  throw new Error(`the simulation knows no schedule like ${cron}`);
}
