/** 32 bits of a text (FNV-1a). */
export function digest(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ (b + 0x9e3779b9 + (a << 6) + (a >>> 2)), 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Draws that are keyed by (seed, label, occurrence): the third draw for a label is the same whatever was drawn for others,
 * so that taking one fault away does not move the rest.
 */
export class Chance {
  readonly seed: number;
  readonly #labels = new Map<string, { readonly hash: number; count: number }>();

  constructor(seed: number) {
    this.seed = seed;
  }

  /** A number in [0, 1), the next one for this label. */
  draw(label: string): number {
    const known = this.#labels.get(label) ?? { hash: digest(label), count: 0 };
    if (known.count === 0) this.#labels.set(label, known);
    known.count += 1;
    return mix(mix(mix(this.seed >>> 0, Math.floor(this.seed / 2 ** 32)), known.hash), known.count) / 2 ** 32;
  }

  /** How many draws there were for a label. */
  count(label: string): number {
    return this.#labels.get(label)?.count ?? 0;
  }

  /** An integer in [low, high]. */
  integer(label: string, low: number, high: number): number {
    return low + Math.floor(this.draw(label) * (high - low + 1));
  }

  pick<T>(label: string, from: readonly [T, ...T[]]): T {
    return from[Math.floor(this.draw(label) * from.length)] ?? from[0];
  }

  /** True with this probability. */
  chance(label: string, probability: number): boolean {
    return this.draw(label) < probability;
  }
}
