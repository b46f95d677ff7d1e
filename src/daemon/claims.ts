/** Which credentials claim which destination. Nearly every place has one claimant: that costs no more than its name. */
export class Claims {
  readonly #claimants = new Map<string, string | readonly string[]>();

  /** @returns whether others claim the place, too. */
  add(place: string, key: string): boolean {
    const others = this.of(place).filter((each) => each !== key);
    this.#set(place, [...others, key]);
    return others.length > 0;
  }

  remove(place: string, key: string): void {
    this.#set(
      place,
      this.of(place).filter((each) => each !== key),
    );
  }

  of(place: string): readonly string[] {
    const found = this.#claimants.get(place) ?? [];
    return typeof found === 'string' ? [found] : found;
  }

  #set(place: string, keys: readonly string[]): void {
    const [first] = keys;
    if (first === undefined) this.#claimants.delete(place);
    else this.#claimants.set(place, keys.length === 1 ? first : keys);
  }
}
