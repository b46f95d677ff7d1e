import type { Clock } from '../domain/ports.ts';
import { formatInstant } from '../domain/time.ts';
import type { Events, RekeydEvent } from './events.ts';
import { plainField } from './plain-fields.ts';

/** So many events can be had again after a connection was lost. */
export const KEPT_EVENTS = 1_000;

/** An event as it is passed on: numbered, dated, and reduced to plain bounded data as in the log. */
export interface Published {
  /** `PROCESS-NUMBER`: a number of another process's means nothing here. */
  readonly id: string;
  readonly type: RekeydEvent['type'];
  /** One line of JSON: `{id, at, type, ...fields}`. */
  readonly json: string;
}

/** The latest events, and those who listen for the next. */
export class EventFeed implements Events {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #epoch: string;
  readonly #kept: Published[] = [];
  readonly #listeners = new Set<(event: Published) => void>();
  #last = 0;

  /** @param epoch names this process: new at every start. */
  constructor(clock: Pick<Clock, 'now'>, epoch: string) {
    this.#clock = clock;
    this.#epoch = epoch;
  }

  tell(event: RekeydEvent): void {
    this.#last += 1;
    const id = `${this.#epoch}-${this.#last}`;
    const at = formatInstant(this.#clock.now());
    const fields = plainField(event) as Record<string, unknown>;
    const published = { id, type: event.type, json: JSON.stringify({ id, at, ...fields }) };
    this.#kept.push(published);
    if (this.#kept.length > KEPT_EVENTS) this.#kept.shift();
    for (const listener of this.#listeners) listener(published);
  }

  /**
   * Where who had the event `id` goes on: the number of the `next` event, for {@link at}. `missed`: some that came before it,
   * or all that another process told, are not kept any more. Null asks for nothing that was.
   */
  resume(id: string | null): { readonly missed: boolean; readonly next: number } {
    if (id === null) return { missed: false, next: this.#last + 1 };
    const number = numberOf(id, this.#epoch);
    if (number === null || number > this.#last) return { missed: true, next: this.#first };
    return { missed: number + 1 < this.#first, next: Math.max(number + 1, this.#first) };
  }

  /** The event of this number; null: it is not kept any more; undefined: it was not told yet. */
  at(number: number): Published | null | undefined {
    return number < this.#first ? null : this.#kept[number - this.#first];
  }

  /** Calls `listener` with each event from now on. It must not throw. @returns a function that ends it. */
  listen(listener: (event: Published) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** The number of the oldest that is kept. */
  get #first(): number {
    return this.#last - this.#kept.length + 1;
  }
}

function numberOf(id: string, epoch: string): number | null {
  const number = id.startsWith(`${epoch}-`) ? id.slice(epoch.length + 1) : '';
  return /^\d{1,15}$/.test(number) ? Number(number) : null;
}
