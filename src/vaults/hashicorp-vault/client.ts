import type { SecretValue } from '../../domain/secret-value.ts';
import type { VaultContext } from '../contract.ts';
import { Exchange } from './exchange.ts';
import type { ApiCall } from './exchange.ts';
import { Failures, isSuccess } from './failure.ts';
import type { HashicorpVaultOptions } from './options.ts';
import { Session } from './session.ts';
import { VaultTokens } from './tokens.ts';
import { Transport } from './transport.ts';
import type { WireReply } from './transport.ts';

/** The server's API, logged in and in our namespace. */
export class Client {
  readonly failures: Failures;
  readonly #namespace: string | null;
  readonly #transport: Transport;
  readonly #exchange: Exchange;
  readonly #session: Session;

  /** @param ca certificates in PEM to trust; null: those that Node trusts. */
  constructor({ url, namespace, auth }: HashicorpVaultOptions, ca: string | null, context: VaultContext) {
    this.#namespace = namespace;
    this.#transport = new Transport(url, ca);
    this.failures = new Failures(context.name, this.#transport.origin);
    this.#exchange = new Exchange(this.#transport, this.failures, context);
    const tokens = new VaultTokens(auth, namespace, this.#exchange, this.failures, context);
    this.#session = new Session(tokens, context, context.log);
  }

  /**
   * Sends a call. It is sent again only where a token that had ended kept it from being done.
   * @returns the answer, whatever its status, but for 403. @throws VaultError; the signal's reason.
   */
  async call(call: ApiCall, signal?: AbortSignal): Promise<WireReply> {
    const send = (token: SecretValue): Promise<WireReply> =>
      this.#exchange.send(call, { token, namespace: this.#namespace }, signal);
    const token = await this.#session.token(signal);
    let reply = await send(token);
    if (reply.status === 403 && (await this.#session.refused(token, signal))) {
      reply = await send(await this.#session.token(signal));
    }
    if (reply.status === 403) throw this.failures.ofStatus(call, reply);
    return reply;
  }

  /** As {@link call}; an answer that is no success is thrown. */
  async must(call: ApiCall, signal?: AbortSignal): Promise<WireReply> {
    const reply = await this.call(call, signal);
    if (!isSuccess(reply)) throw this.failures.ofStatus(call, reply);
    return reply;
  }

  /** Logs in where that was not done yet. @throws VaultError; the signal's reason. */
  async logIn(signal?: AbortSignal): Promise<void> {
    await this.#session.token(signal);
  }

  async close(): Promise<void> {
    await this.#session.close(this.failures.make('unavailable', null, 'it was closed'));
    this.#transport.close();
  }
}
