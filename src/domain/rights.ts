/** One line of `rekeyd check`: `unknown` is what cannot be proven without writing. */
export interface RightReport {
  /** What it is about: `reached`, or the name of a right in the backend's own terms. */
  readonly right: string;
  readonly status: 'ok' | 'missing' | 'unknown';
  /** What to do about it, for a person; empty where it is `ok`. */
  readonly hint: string;
}
