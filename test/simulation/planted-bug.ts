/** A change of one source file, by the text that it replaces. */
export interface Edit {
  /** From the root of the repository. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** A mistake that the simulation must find. It is put into the source as that is loaded: shipped code knows nothing of it. */
export interface PlantedBug {
  readonly name: string;
  /** What is wrong, for a person. */
  readonly what: string;
  readonly edits: readonly [Edit, ...Edit[]];
  /** Codes of the invariants that may find it. Any other violation does not count. */
  readonly expects: readonly [string, ...string[]];
  /** Seeds within 1..{@link MOST_SEEDS} that find it, tried first: what finds it there finds it in the whole search too. */
  readonly seeds: readonly number[];
}

/** In so many seeds each bug must be found. */
export const MOST_SEEDS = 500;

/** The text with the edit. @throws where the place is not there exactly once: the source went on, and the bug must follow. */
export function withEdit(text: string, { file, find, replace }: Edit): string {
  const at = text.indexOf(find);
  if (at < 0) throw new Error(`nothing to plant a bug at: ${file} does not hold ${JSON.stringify(find)}`);
  if (text.includes(find, at + 1)) throw new Error(`${file} holds ${JSON.stringify(find)} more than once`);
  return text.slice(0, at) + replace + text.slice(at + find.length);
}
