/**
 * What a reader behind a lag sees: the state as it was some time ago. Kept is only what was replaced within the lag.
 */
export class StaleView<State> {
  #replaced: { readonly at: number; readonly before: State }[] = [];

  /** Notes that `before` was replaced at `at`. */
  note(at: number, before: State, lag: number): void {
    this.#replaced = this.#replaced.filter((entry) => entry.at > at - lag);
    if (lag > 0) this.#replaced.push({ at, before });
  }

  /** The state at `at`, given what it is now. */
  asOf(at: number, current: State): State {
    const next = this.#replaced.find((entry) => entry.at > at);
    return next === undefined ? current : next.before;
  }
}
