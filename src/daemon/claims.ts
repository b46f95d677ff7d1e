/** Who claims which place. Nearly every place has one claimant: that costs no list. */
export class Claims<T extends object> {
  readonly #claimants = new Map<string, T | readonly T[]>();

  /** @returns whether others claim the place, too. */
  add(place: string, claimant: T): boolean {
    const others = this.of(place).filter((each) => each !== claimant);
    this.#set(place, [...others, claimant]);
    return others.length > 0;
  }

  remove(place: string, claimant: T): void {
    this.#set(
      place,
      this.of(place).filter((each) => each !== claimant),
    );
  }

  of(place: string): readonly T[] {
    const found = this.#claimants.get(place);
    if (found === undefined) return [];
    return isList(found) ? found : [found];
  }

  #set(place: string, claimants: readonly T[]): void {
    const [first] = claimants;
    if (first === undefined) this.#claimants.delete(place);
    else this.#claimants.set(place, claimants.length === 1 ? first : claimants);
  }
}

function isList<T extends object>(found: T | readonly T[]): found is readonly T[] {
  return Array.isArray(found);
}
