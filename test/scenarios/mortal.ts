/** One run of a process. Once it has ended, nothing that it waits for answers it any more. */
export class Life {
  #over = false;
  /** Calls to the world so far. */
  calls = 0;
  #frozen: { readonly until: Promise<void>; thaw(): void } | null = null;
  #killAt: { readonly call: number; readonly side: 'before' | 'after' } | null = null;
  /** The call in which it was killed. */
  killedIn = 'not killed';
  /** Hears of each call before it leaves. */
  onCall: ((call: number, name: string) => void) | null = null;

  get over(): boolean {
    return this.#over;
  }

  end(): void {
    this.#over = true;
  }

  /** From now on it hears no answer and no timer; what it sent before still reaches the world. */
  freeze(): void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#frozen ??= { until: promise, thaw: () => resolve(undefined) };
  }

  /** All that came meanwhile is heard now. */
  thaw(): void {
    this.#frozen?.thaw();
    this.#frozen = null;
  }

  /** Kept once it is not frozen; null: it is not. */
  get frozenUntil(): Promise<void> | null {
    return this.#frozen?.until ?? null;
  }

  /** Kills it at its n-th call (from 0): before the call leaves, or after it took effect and before its answer is heard. */
  killAt(call: number, side: 'before' | 'after'): void {
    this.#killAt = { call, side };
  }

  /** @returns whether the call leaves. */
  call(name: string): boolean {
    if (this.#over) return false;
    const mine = this.#killAt?.call === this.calls;
    this.calls += 1;
    this.onCall?.(this.calls - 1, name);
    if (!mine) return true;
    this.killedIn = name;
    this.end();
    return this.#killAt?.side === 'after';
  }
}

const never = new Promise<never>(() => undefined);

/**
 * The same object as a mortal process sees it: calls that were made before its end still reach the world, but their
 * answers are never heard; calls after it do not even leave.
 */
export function mortal<T extends object>(target: T, life: Life, name = ''): T {
  return new Proxy(target, {
    get(object, property) {
      const member: unknown = Reflect.get(object, property, object);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]): unknown => {
        if (name === '' ? life.over : !life.call(`${name}.${String(property)}`)) return never;
        const answer: unknown = Reflect.apply(member, object, given);
        if (!(answer instanceof Promise)) return answer;
        const heard = (value: unknown) => (life.over ? never : value);
        const failed = (error: unknown) => {
          if (life.over) return never;
          throw error;
        };
        const whenThawed = <T>(hear: (what: unknown) => T) => {
          return (what: unknown) => (life.frozenUntil === null ? hear(what) : life.frozenUntil.then(() => hear(what)));
        };
        return answer.then(whenThawed(heard), whenThawed(failed));
      };
    },
  });
}
