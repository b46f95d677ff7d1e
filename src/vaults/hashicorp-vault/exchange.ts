import type { SecretValue } from '../../domain/secret-value.ts';
import { SECOND } from '../../domain/time.ts';
import type { Duration } from '../../domain/time.ts';
import type { VaultContext } from '../contract.ts';
import { isBehind, isSuccess } from './failure.ts';
import type { Attempt, Failures } from './failure.ts';
import type { Transport, WireReply } from './transport.ts';

/** A call of the API. */
export interface ApiCall extends Attempt {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** With `/v1`, encoded. */
  readonly path: string;
  /** A JSON text; absent: none. */
  readonly body?: string;
}

/** As whom a call is made. */
export interface Caller {
  /** Null: nobody, so it is a login. */
  readonly token: SecretValue | null;
  /** Null: the root. */
  readonly namespace: string | null;
}

const FIRST_PAUSE: Duration = SECOND / 10;
const LONGEST_PAUSE: Duration = 2 * SECOND;

/**
 * Sends calls to the server, so that every read sees what this client has written (V13): a write's `X-Vault-Index` goes
 * with all that comes after it, and a standby that has not got so far (412) is asked again, for at most `readBack`.
 * Source: documentation of Vault, 'Eventual consistency', and of OpenBao 2.7.
 */
export class Exchange {
  readonly #transport: Transport;
  readonly #failures: Failures;
  readonly #context: Pick<VaultContext, 'clock' | 'ticker' | 'readBack'>;
  /** Opaque. Of writes at the same time the last answer's is kept: what the other wrote may then be seen later. */
  #index: string | null = null;

  constructor(transport: Transport, failures: Failures, context: Pick<VaultContext, 'clock' | 'ticker' | 'readBack'>) {
    this.#transport = transport;
    this.#failures = failures;
    this.#context = context;
  }

  /** @returns the answer, whatever its status. @throws VaultError `unavailable` where there is none; the signal's reason. */
  async send(call: ApiCall, caller: Caller, signal?: AbortSignal): Promise<WireReply> {
    const { clock, ticker, readBack } = this.#context;
    const began = clock.monotonic();
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      const reply = await this.#once(call, caller, signal);
      if (!isBehind(reply) || clock.monotonic() - began + pause > readBack) return reply;
      await ticker.sleep(pause, signal);
    }
  }

  async #once({ method, path, body, ...attempt }: ApiCall, caller: Caller, signal?: AbortSignal): Promise<WireReply> {
    const headers: Record<string, string> = {
      accept: 'application/json',
      'user-agent': 'rekeyd',
      'x-vault-request': 'true',
    };
    if (body !== undefined) {
      headers['content-type'] = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    }
    if (caller.token !== null) headers['x-vault-token'] = caller.token.reveal();
    if (caller.namespace !== null) headers['x-vault-namespace'] = caller.namespace;
    if (this.#index !== null) headers['x-vault-index'] = this.#index;
    try {
      const reply = await this.#transport.send({ method, path, headers, body: body ?? null }, signal);
      const index = reply.headers['x-vault-index'];
      if (method !== 'GET' && isSuccess(reply) && typeof index === 'string') this.#index = index;
      return reply;
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#failures.ofConnection(attempt, error);
    }
  }
}
