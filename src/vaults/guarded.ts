import { RekeydError, VaultError, safeMessage } from '../domain/errors.ts';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import type { Ports } from '../domain/ports.ts';
import { RateLimiter } from '../domain/rate-limiter.ts';
import type { RightReport } from '../domain/rights.ts';
import { formatDuration } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import type { Meter, RequestEnd } from '../telemetry/meter.ts';
import type { EntryContent, EntryDescription, EntryRef, Vault, VaultCapabilities } from './contract.ts';

/** What stands around every vault. */
export interface GuardOptions {
  /** Of one call, without the wait for its turn. */
  readonly timeout: Duration;
  readonly requestsPerSecond: number;
  readonly ports: Pick<Ports, 'clock' | 'ticker'>;
  readonly meter: Meter;
}

/** A reason of its own: without one, every abort makes a DOMException with its stack, and this one is in every call. */
const ENDED = 'ended in time';

interface Call {
  readonly operation: string;
  readonly entry: string | null;
  readonly signal: AbortSignal | undefined;
}

/**
 * Puts the same guard around any vault: a limiter of its own (V11), a time-out, counting, and nothing but
 * {@link VaultError} thrown, whatever a backend's library throws. A write that ran into the time-out may still be applied.
 */
export function guardVault(vault: Vault, options: GuardOptions): Vault {
  return new GuardedVault(vault, options);
}

class GuardedVault implements Vault {
  readonly #vault: Vault;
  readonly #options: GuardOptions;
  readonly #limiter: RateLimiter;
  #closed: Promise<void> | null = null;

  constructor(vault: Vault, options: GuardOptions) {
    this.#vault = vault;
    this.#options = options;
    this.#limiter = new RateLimiter(options.requestsPerSecond, options.ports);
  }

  get name(): string {
    return this.#vault.name;
  }

  get type(): string {
    return this.#vault.type;
  }

  get identity(): string {
    return this.#vault.identity;
  }

  get capabilities(): VaultCapabilities {
    return this.#vault.capabilities;
  }

  get readBack(): Duration {
    return this.#vault.readBack;
  }

  describe(ref: EntryRef, options?: { readonly prove?: boolean }, signal?: AbortSignal): Promise<EntryDescription> {
    return this.#call({ operation: 'describe', entry: ref.entry, signal }, (bounded) =>
      this.#vault.describe(ref, options, bounded),
    );
  }

  read(ref: EntryRef, signal?: AbortSignal): Promise<EntryContent> {
    return this.#call({ operation: 'read', entry: ref.entry, signal }, (bounded) => this.#vault.read(ref, bounded));
  }

  deliver(ref: EntryRef, payload: Payload, mark: Mark, expected: string, signal?: AbortSignal) {
    return this.#call({ operation: 'deliver', entry: ref.entry, signal }, (bounded) => {
      if (payload.content.isEmpty) throw this.#error('rejected', ref.entry, 'there is nothing in the payload');
      return this.#vault.deliver(ref, payload, mark, expected, bounded);
    });
  }

  restoreMark(ref: EntryRef, mark: Mark, expected: string, signal?: AbortSignal) {
    return this.#call({ operation: 'restore-mark', entry: ref.entry, signal }, (bounded) =>
      this.#vault.restoreMark(ref, mark, expected, bounded),
    );
  }

  rights(refs: readonly EntryRef[], signal?: AbortSignal): Promise<readonly RightReport[]> {
    return this.#call({ operation: 'rights', entry: null, signal }, (bounded) => this.#vault.rights(refs, bounded));
  }

  /** Waits for no turn, so that shutting down is not held up. */
  close(): Promise<void> {
    this.#closed ??= this.#bounded({ operation: 'close', entry: null, signal: undefined }, () => this.#vault.close());
    return this.#closed;
  }

  async #call<T>(call: Call, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    await this.#limiter.take(call.signal);
    const count = (end: RequestEnd): void => {
      this.#options.meter.vaultRequest(this.name, call.operation, end);
    };
    try {
      const answer = await this.#bounded(call, work);
      count(isAbsent(answer) ? 'not-found' : 'ok');
      return answer;
    } catch (error) {
      if (error instanceof VaultError) count(endOf(error)); // the caller's own abort is no outcome of the vault
      throw error;
    }
  }

  /** Ends when the work does, at the time-out, or when the caller gives up, even where the work heeds no signal. */
  async #bounded<T>(call: Call, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const stop = new AbortController();
    const giveUp = (): void => stop.abort(call.signal?.reason);
    call.signal?.throwIfAborted();
    call.signal?.addEventListener('abort', giveUp, { once: true });
    const stopped = new Promise<never>((_, reject) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's own reason, or ours
      stop.signal.addEventListener('abort', () => reject(stop.signal.reason), { once: true });
    });
    const { timeout, ports } = this.#options;
    ports.ticker.sleep(timeout, stop.signal).then(
      () =>
        stop.abort(
          this.#error('unavailable', call.entry, `no answer to ${call.operation} in ${formatDuration(timeout)}`),
        ),
      () => undefined, // ended early: the call is over
    );
    try {
      return await Promise.race([attempt(() => work(stop.signal)), stopped]);
    } catch (error) {
      if (call.signal?.aborted === true && stop.signal.reason === call.signal.reason) throw call.signal.reason;
      if (error instanceof VaultError) throw error;
      // A library that was told to stop throws an error of its own: what stopped it says more.
      if (stop.signal.reason instanceof VaultError) throw stop.signal.reason;
      const why = error instanceof RekeydError ? error.message : `${call.operation} failed: ${safeMessage(error)}`;
      throw this.#error('unavailable', call.entry, why);
    } finally {
      stop.abort(ENDED);
      call.signal?.removeEventListener('abort', giveUp);
    }
  }

  #error(fault: 'unavailable' | 'rejected', entry: string | null, why: string): VaultError {
    const place = entry === null ? '' : `, entry '${entry}'`;
    return new VaultError(fault, `Vault '${this.name}'${place}: ${why}.`, { vault: this.name, entry });
  }
}

/** An error thrown at once is the same as a rejected promise. */
async function attempt<T>(work: () => Promise<T>): Promise<T> {
  return await work();
}

function isAbsent(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'state' in answer && answer.state === 'absent';
}

function endOf(error: VaultError): RequestEnd {
  switch (error.fault) {
    case 'denied':
    case 'throttled':
    case 'rejected':
    case 'conflict':
      return error.fault;
    case 'locked':
      return 'rejected';
    case 'unavailable':
    case 'malformed':
      return 'error';
  }
}
