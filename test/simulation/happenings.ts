import type { Instant } from '../../src/domain/time.ts';

/** What happened, by name, and when: assumptions of invariants rest on it. */
export class Happenings {
  readonly #times = new Map<string, Instant[]>();

  note(what: string, at: Instant): void {
    this.#times.set(what, [...(this.#times.get(what) ?? []), at]);
  }

  happened(what: string): boolean {
    return this.#times.has(what);
  }

  howOftenSince(what: string, since: Instant): number {
    return (this.#times.get(what) ?? []).filter((each) => each >= since).length;
  }
}
