import type { Duration, Instant } from '../../src/domain/time.ts';

/** Something that is to happen at a time. */
export interface Appointment {
  readonly at: Instant;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** How many turns of the event loop are asked for at once: between two of them all promises have their say. */
const AHEAD = 64;

// taken before the sandbox closes it to everybody else
const nextTurn = setImmediate;

/**
 * The time of the simulated world, and the queue of all that is going to happen in it. One appointment is kept at a time,
 * with everything that follows from it; no real time passes in between.
 */
export class VirtualTime {
  /** True time; what a machine takes for it is a matter of its own clock. */
  now: Instant;
  readonly start: Instant;
  /** Appointments kept so far. */
  events = 0;
  readonly #heap: Appointment[] = [];
  #order = 0;

  constructor(start: Instant) {
    this.now = start;
    this.start = start;
  }

  /** @throws Error where a part of a millisecond is asked for: instants and durations are whole ones (domain/time.ts). */
  at(when: Instant, run: () => void): Appointment {
    if (!Number.isInteger(when)) throw new Error(`an appointment at ${when}: instants are whole milliseconds`);
    const appointment = { at: Math.max(when, this.now), order: (this.#order += 1), run, cancelled: false };
    this.#push(appointment);
    return appointment;
  }

  after(delay: Duration, run: () => void): Appointment {
    return this.at(this.now + Math.max(0, delay), run);
  }

  /**
   * Lets time pass until `end`, or until `over` says so. `each` is called after every appointment, once everything that
   * follows from it without time passing has happened.
   * @throws what an appointment or `each` throws.
   */
  run(end: Instant, each: () => void = () => undefined, over: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      let asked = 0;
      let done = false;
      let first = true;
      const finish = (): void => {
        done = true;
        if (!over()) this.now = Math.max(this.now, end);
        resolve();
      };
      const turn = (): void => {
        asked -= 1;
        if (done) return;
        try {
          if (!first) each();
          first = false;
          const next = over() ? null : this.#take(end);
          if (next === null) {
            finish();
            return;
          }
          this.now = next.at;
          this.events += 1;
          next.run();
        } catch (error) {
          done = true;
          reject(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        ask();
      };
      const ask = (): void => {
        if (asked > AHEAD / 2) return;
        for (; asked < AHEAD; asked += 1) nextTurn(turn);
      };
      ask();
    });
  }

  #take(end: Instant): Appointment | null {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (!first.cancelled && first.at > end) return null;
      this.#pop();
      if (!first.cancelled) return first;
    }
    return null;
  }

  #push(added: Appointment): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(added);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(added, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = added;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) child += 1;
      const smaller = heap[child];
      if (smaller === undefined || !isBefore(smaller, last)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Appointment, b: Appointment): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
