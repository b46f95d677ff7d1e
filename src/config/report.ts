import { ConfigError } from '../domain/errors.ts';
import type { ConfigProblem } from '../domain/errors.ts';
import { formatPath, nodeAt, placeOf } from './tree.ts';
import type { Node, Path, Place } from './tree.ts';

/** Shown instead of a message that would quote what came out of a variable or a file. */
const UNQUOTABLE = 'is not a valid value';
/** What is shorter than any secret is not looked for: it is in half of all words. */
const SHORTEST_HIDDEN = 4;
const LONGEST_QUOTE = 120;

/**
 * Gathers every problem of a configuration, so that a person sees all of them at once. Its own callers never quote a
 * value, only the text of the file; messages of a backend's schema go through {@link Report.foreign}.
 */
export class Report {
  readonly #files: readonly string[];
  readonly #problems: ConfigProblem[] = [];
  readonly #hidden = new Set<string>();
  readonly #broken = new Set<string>();

  /** @param files in the order in which problems are told. */
  constructor(files: readonly string[]) {
    this.#files = files;
  }

  /** What came out of a variable or a file: no foreign message may show it. */
  hide(text: string): void {
    if (text.length >= SHORTEST_HIDDEN) this.#hidden.add(text);
  }

  /** A message that somebody else wrote, or another one where it would show what is hidden. */
  foreign(message: string): string {
    for (const text of this.#hidden) if (message.includes(text)) return UNQUOTABLE;
    return message;
  }

  /** A problem at a place. */
  at(place: Place, path: Path, message: string): void {
    if (this.#broken.has(placeId(place))) return;
    this.#problems.push({ ...place, key: formatPath(path), message });
  }

  /** As {@link at}; whatever else would be said of that place follows from it, and is not told. */
  broken(place: Place, path: Path, message: string): void {
    this.at(place, path, message);
    this.#broken.add(placeId(place));
  }

  /** Whether a problem of that place was told. */
  tells(place: Place): boolean {
    return this.#problems.some(
      (problem) => problem.file === place.file && problem.line === place.line && problem.column === place.column,
    );
  }

  /** A problem of no place in a file: of the file as a whole, or of the environment. */
  general(file: string | null, key: string, message: string): void {
    this.#problems.push({ file, line: null, column: null, key, message });
  }

  /** Whether no problem was told. */
  isEmpty(): boolean {
    return this.#problems.length === 0;
  }

  /** @throws ConfigError with all problems, in the order of the files; not thrown where there are none. */
  throwIfAny(): void {
    if (this.isEmpty()) return;
    const seen = new Set<string>();
    const problems = this.#problems.filter((problem) => {
      // An anchor is checked wherever it is used: its problems are told once.
      const lastKey = problem.key.slice(problem.key.lastIndexOf('.') + 1);
      const id = JSON.stringify([problem.file, problem.line, problem.column, lastKey, problem.message]);
      return !seen.has(id) && seen.add(id);
    });
    throw new ConfigError(
      problems.sort(
        (a, b) => this.#rank(a) - this.#rank(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
      ),
    );
  }

  #rank(problem: ConfigProblem): number {
    return problem.file === null ? -1 : this.#files.indexOf(problem.file);
  }
}

function placeId(place: Place): string {
  return `${place.line}:${place.column}:${place.file}`;
}

/** A report over one tree: problems are named by path. */
export class TreeReport {
  readonly root: Node;
  readonly #report: Report;

  constructor(root: Node, report: Report) {
    this.root = root;
    this.#report = report;
  }

  /** A problem of the value at `path`. */
  value(path: Path, message: string): void {
    this.#report.at(placeOf(this.root, path), path, message);
  }

  /** As {@link value}, with a message that quotes a part of the value: `plain` instead, where that came from elsewhere. */
  part(path: Path, message: string, plain: string): void {
    const node = nodeAt(this.root, path);
    this.value(path, node?.kind === 'scalar' && node.source !== null ? plain : message);
  }

  /** A problem of the key itself: it is unknown, or its name is. */
  key(path: Path, message: string): void {
    this.#report.at(placeOf(this.root, path, true), path, message);
  }

  /** Whether a problem of the value at `path` was told. */
  tells(path: Path): boolean {
    return this.#report.tells(placeOf(this.root, path));
  }

  foreign(message: string): string {
    return this.#report.foreign(message);
  }

  /** The text at `path` as it stands in the file, in quotes: what came out of a variable or a file is never shown. */
  quoted(path: Path): string {
    const node = nodeAt(this.root, path);
    if (node?.kind !== 'scalar') return 'that';
    const text = JSON.stringify(node.source ?? node.value);
    return text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE - 1)}…`;
  }
}
