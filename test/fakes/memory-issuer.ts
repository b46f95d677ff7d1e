import { IssuerError } from '../../src/domain/errors.ts';
import type { Ports } from '../../src/domain/ports.ts';
import type { RightReport } from '../../src/domain/rights.ts';
import type { SecretValue } from '../../src/domain/secret-value.ts';
import type { Duration } from '../../src/domain/time.ts';
import { MINUTE } from '../../src/domain/time.ts';
import type {
  CreatedSecret,
  Issuer,
  IssuerTiming,
  ListedCredential,
  ListedSecret,
  SecretWish,
  Verdict,
} from '../../src/issuers/contract.ts';
import { MemoryAccount } from './memory-account.ts';
import type { MemoryIssuerBehaviour } from './memory-account.ts';
import { FaultQueue, faultOfStatus } from './memory-issuer-faults.ts';
import type {
  CallHook,
  FaultOptions,
  FaultOutcome,
  IssuerCall,
  IssuerOperation,
  QueuedFault,
} from './memory-issuer-faults.ts';
import { asOf, existed, listed } from './memory-issuer-history.ts';
import type { StoredCredential } from './memory-issuer-history.ts';

/**
 * An issuer in memory that keeps the contract, for scenario tests: it lives by the ports it is given, keeps the whole
 * history (which is what makes stale lists honest), and fails as it is told to.
 */
export class MemoryIssuer extends MemoryAccount implements Issuer {
  readonly name: string;
  readonly type = 'memory';
  readonly timing: IssuerTiming;
  readonly descriptionLimit: number;
  /** Every call, in order, the failed ones too. */
  readonly calls: IssuerCall[] = [];

  readonly #faults = new FaultQueue();
  readonly #before = new Map<IssuerOperation, CallHook[]>();
  readonly #after = new Map<IssuerOperation, CallHook[]>();
  #heard = false;
  closed = false;

  constructor(
    ports: Pick<Ports, 'clock' | 'ticker'>,
    options: {
      readonly name?: string;
      readonly timing?: Partial<IssuerTiming>;
      readonly descriptionLimit?: number;
      readonly behaviour?: Partial<MemoryIssuerBehaviour>;
    } = {},
  ) {
    super(ports, options.behaviour ?? {});
    this.name = options.name ?? 'data8';
    this.descriptionLimit = options.descriptionLimit ?? 200;
    this.timing = { requestLifetime: 5 * MINUTE, listLag: MINUTE, maxClockSkew: 5 * MINUTE, ...options.timing };
  }

  /** How many calls of an operation there were. */
  count(operation: IssuerOperation, clientId?: string): number {
    return this.calls.filter((call) => call.operation === operation && (clientId ?? call.clientId) === call.clientId)
      .length;
  }

  // Faults and hooks.

  /** Queues a fault. The first in the queue that fits a call is the one it meets. */
  fault(operation: IssuerOperation, outcome: FaultOutcome, options: FaultOptions = {}): void {
    this.#faults.add(operation, outcome, options);
  }

  /** Takes all faults back. */
  heal(): void {
    this.#faults.clear();
  }

  /** Runs before a call takes effect; a promise holds the call up. What it throws, the caller gets. */
  onCall(operation: IssuerOperation, hook: CallHook): void {
    this.#before.set(operation, [...(this.#before.get(operation) ?? []), hook]);
  }

  /** Runs after a call took effect and before the caller hears of it: the place for a crash. */
  onApplied(operation: IssuerOperation, hook: CallHook): void {
    this.#after.set(operation, [...(this.#after.get(operation) ?? []), hook]);
  }

  // The contract.

  async listCredentials(signal?: AbortSignal): Promise<readonly ListedCredential[]> {
    return this.#call({ operation: 'listCredentials' }, signal, () => {
      const at = this.ports.clock.now() - this.behaviour.lag;
      return [...this.credentials.values()]
        .filter((credential) => existed(credential, at))
        .map(({ clientId, descriptions }) => ({ clientId, description: asOf(descriptions, at).description }));
    });
  }

  async listSecrets(clientId: string, signal?: AbortSignal): Promise<readonly ListedSecret[]> {
    return this.#call({ operation: 'listSecrets', clientId }, signal, () => {
      const at = this.ports.clock.now() - this.behaviour.lag;
      return [...this.#live('listSecrets', clientId).secrets.values()]
        .filter((secret) => existed(secret, at))
        .map((secret) => listed(secret.secretId, asOf(secret.versions, at)));
    });
  }

  async createSecret(clientId: string, wish: SecretWish, signal?: AbortSignal): Promise<CreatedSecret> {
    return this.#call({ operation: 'createSecret', clientId, wish }, signal, () => {
      const credential = this.#live('createSecret', clientId);
      const { cap } = this.behaviour;
      if (cap !== null && this.unexpired(credential) >= cap) throw this.#error('createSecret', 400, {});
      return this.insert(credential, wish, this.ports.clock.now());
    });
  }

  async updateSecret(clientId: string, secretId: string, wish: SecretWish, signal?: AbortSignal): Promise<void> {
    return this.#call({ operation: 'updateSecret', clientId, secretId, wish }, signal, () => {
      const secret = this.#live('updateSecret', clientId).secrets.get(secretId);
      if (secret === undefined || secret.deletedAt !== null) throw this.#error('updateSecret', 404, {});
      if (this.behaviour.put === 'ignore') return;
      secret.versions.push({ ...this.granted(wish), from: this.ports.clock.now() });
    });
  }

  async deleteSecret(clientId: string, secretId: string, signal?: AbortSignal): Promise<'deleted' | 'absent'> {
    return this.#call({ operation: 'deleteSecret', clientId, secretId }, signal, () => {
      const secret = this.credentials.get(clientId)?.secrets.get(secretId);
      if (secret === undefined || secret.deletedAt !== null) return 'absent';
      secret.deletedAt = this.ports.clock.now();
      return 'deleted';
    });
  }

  async verify(clientId: string, value: SecretValue, signal?: AbortSignal): Promise<Verdict> {
    return this.#call({ operation: 'verify', clientId }, signal, () =>
      this.isAccepted(clientId, value.reveal()) ? 'accepted' : 'refused',
    );
  }

  skew(): Duration | null {
    return this.#heard ? this.behaviour.skew : null;
  }

  async rights(signal?: AbortSignal): Promise<readonly RightReport[]> {
    await this.listCredentials(signal);
    return [{ right: 'reached', status: 'ok', hint: '' }];
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  // Within.

  async #call<T>(
    about: Partial<IssuerCall> & Pick<IssuerCall, 'operation'>,
    signal: AbortSignal | undefined,
    effect: () => T,
  ): Promise<T> {
    signal?.throwIfAborted();
    const { operation } = about;
    const call: IssuerCall = {
      at: this.ports.clock.now(),
      clientId: null,
      secretId: null,
      wish: null,
      ...about,
    };
    this.calls.push(call);
    for (const hook of this.#before.get(operation) ?? []) await hook(call);
    if (this.behaviour.latency > 0) await this.ports.ticker.sleep(this.behaviour.latency, signal);
    const fault = this.#faults.meet(operation, call.clientId);
    if (fault !== null) return this.#fail(call, fault, effect);
    this.#heard = true;
    const result = effect();
    for (const hook of this.#after.get(operation) ?? []) await hook(call);
    return result;
  }

  async #fail<T>(call: IssuerCall, fault: QueuedFault, effect: () => T): Promise<T> {
    const { outcome } = fault;
    const { operation } = call;
    if (outcome === 'accepted' || outcome === 'refused') {
      if (operation === 'verify') return outcome as T;
      throw this.#fault('unavailable', 'the connection was refused', call, { surelyNotApplied: true });
    }
    if (typeof outcome === 'number') throw this.#error(operation, outcome, fault);
    if (outcome === 'late' || typeof outcome === 'object') {
      const delay = typeof outcome === 'object' ? outcome.late : this.timing.requestLifetime / 10;
      void this.ports.ticker.sleep(delay).then(() => applyQuietly(effect));
    } else if (outcome !== 'lost-before') {
      effect();
      for (const hook of this.#after.get(operation) ?? []) await hook(call);
    }
    if (outcome === 'malformed') throw this.#fault('malformed', 'the answer cannot be read', call, { status: 200 });
    throw this.#fault('unavailable', 'no answer', call, {});
  }

  #error(operation: IssuerOperation, status: number, { retryAfter }: FaultOptions): IssuerError {
    return this.#fault(
      faultOfStatus(status),
      `answered ${status}`,
      { operation },
      {
        status,
        retryAfter: retryAfter ?? null,
        surelyNotApplied: status < 500 && status !== 408,
      },
    );
  }

  #fault(
    fault: IssuerError['fault'],
    message: string,
    { operation }: Pick<IssuerCall, 'operation'>,
    detail: { status?: number; retryAfter?: Duration | null; surelyNotApplied?: boolean },
  ): IssuerError {
    return new IssuerError(fault, `${this.name}: ${operation}: ${message}`, {
      issuer: this.name,
      operation,
      ...detail,
    });
  }

  #live(operation: IssuerOperation, clientId: string): StoredCredential {
    const credential = this.credentials.get(clientId);
    if (credential === undefined || credential.deletedAt !== null) throw this.#error(operation, 404, {});
    return credential;
  }
}

/** A late request that finds its credential gone is refused like any other; nobody hears of it. */
function applyQuietly(effect: () => unknown): void {
  try {
    effect();
  } catch (error) {
    if (!(error instanceof IssuerError)) throw error;
  }
}
