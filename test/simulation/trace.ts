import { digest } from './chance.ts';

/** A hash over everything that happened, in its order: two runs that have the same one went the same way. */
export class Trace {
  #high = 0x9dc5;
  #low = 0x811c9dc5;
  readonly #labels = new Map<string, number>();

  /** @param what of few different texts: their digests are kept. */
  add(at: number, what: string): void {
    let hash = this.#labels.get(what);
    if (hash === undefined) {
      hash = digest(what);
      this.#labels.set(what, hash);
    }
    this.#low = Math.imul(this.#low ^ hash ^ (at >>> 0), 0x01000193) >>> 0;
    this.#high = Math.imul(this.#high ^ this.#low ^ Math.floor(at / 2 ** 32), 0x85ebca6b) >>> 0;
  }

  get hash(): string {
    return this.#high.toString(16).padStart(8, '0') + this.#low.toString(16).padStart(8, '0');
  }
}
