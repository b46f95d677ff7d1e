import { IssuerError, safeMessage } from '../domain/errors.ts';
import { SecretValue } from '../domain/secret-value.ts';
import { MINUTE } from '../domain/time.ts';
import type { World } from '../rotation/world.ts';

const LONGEST = 10 * MINUTE;

/**
 * Which issuers' token endpoints do not answer. Nothing is created while one is silent (I14), so that no rotation comes
 * across its end by itself: it is asked now and then, with a client and a secret that are nobody's. Any verdict will do.
 */
export class Silence {
  readonly #world: World;
  readonly #leaving: AbortSignal;
  readonly #silent = new Set<string>();

  constructor(world: World, leaving: AbortSignal) {
    this.#world = world;
    this.#leaving = leaving;
  }

  has(issuer: string): boolean {
    return this.#silent.has(issuer);
  }

  /** What an attempt heard. @param listen false in a one-shot job, which waits for nobody. */
  heard(issuer: string, answered: boolean, listen: boolean): void {
    if (answered) this.#over(issuer);
    if (answered || this.#silent.has(issuer)) return;
    this.#silent.add(issuer);
    this.#world.events.tell({ type: 'token-endpoint-silent', issuer, reason: 'issuer-failed' });
    if (listen) void this.#listen(issuer);
  }

  /** Goes on asking for those of `issuers` that were silent before; whoever asked until now has left. */
  takeOver(before: Silence, issuers: readonly string[]): void {
    for (const issuer of issuers) {
      if (!before.#silent.has(issuer) || this.#silent.has(issuer)) continue;
      this.#silent.add(issuer);
      void this.#listen(issuer);
    }
  }

  #over(issuer: string): void {
    if (!this.#silent.delete(issuer)) return;
    this.#world.events.tell({ type: 'token-endpoint-answers', issuer });
  }

  async #listen(issuer: string): Promise<void> {
    const { ids, issuers, log, ticker } = this.#world;
    for (let pause = MINUTE; ; pause = Math.min(2 * pause, LONGEST)) {
      try {
        await ticker.sleep(pause, this.#leaving);
        if (!this.#silent.has(issuer)) return;
        const nobody = `rekeyd-asks-${ids.unique()}`;
        await issuers.get(issuer)?.verify(nobody, SecretValue.of(nobody), this.#leaving);
        this.#over(issuer);
        return;
      } catch (error) {
        if (this.#leaving.aborted) return;
        if (!(error instanceof IssuerError)) throw error;
        log.debug('token-endpoint-asked', 'The token endpoint does not answer yet', {
          issuer,
          error: safeMessage(error),
        });
      }
    }
  }
}
