import { RateLimiter } from '../../domain/rate-limiter.ts';
import type { Duration } from '../../domain/time.ts';
import type { IssuerContext } from '../contract.ts';
import { AccessToken } from './access-token.ts';
import { HttpData8Api } from './api.ts';
import type { Data8Api } from './api.ts';
import { Failures } from './failure.ts';
import type { Data8Options } from './options.ts';
import { OwnClient } from './own-client.ts';
import { Sender } from './sender.ts';
import { SkewEstimate } from './skew.ts';
import { TokenEndpoint } from './token-endpoint.ts';

/** The parts of a client, wired. API and token endpoint share the limiter; each server is held back by its own word. */
export interface Connection {
  readonly api: Data8Api;
  readonly tokenEndpoint: TokenEndpoint;
  readonly failures: Failures;
  skew(): Duration | null;
  /**
   * To be called before a secret of `clientId` is deleted. Where that is our own client, and its secret is kept in a vault,
   * the value that is there now must get a token, which is then in use: what is left to us surely works.
   * @throws IssuerError where it does not; nothing may be deleted then.
   */
  beforeDeletion(clientId: string, signal: AbortSignal | undefined): Promise<void>;
}

export function connect(options: Data8Options, context: IssuerContext): Connection {
  const failures = new Failures(context.name);
  const limiter = new RateLimiter(options.requestsPerSecond, context);
  const skew = new SkewEstimate(context.clock);
  const settings = {
    name: context.name,
    timeout: options.timeout,
    maxRetryAfter: options.maxRetryAfter,
    ports: context,
    meter: context.meter,
    failures,
  };
  // Only the API's clock counts: it is what `expires` is measured by.
  const apiSender = new Sender(settings, limiter, (...seen) => skew.observe(...seen));
  const tokenSender = new Sender(settings, limiter, () => undefined);
  const tokenEndpoint = new TokenEndpoint(options, tokenSender, failures);
  const own = new OwnClient(options, tokenEndpoint, context, failures);
  const token = new AccessToken((signal) => own.fetchToken(signal), context, context.log);
  const api = new HttpData8Api(options.baseUrl, { sender: apiSender, token, ownSecrets: () => own.secrets, failures });
  return {
    api,
    tokenEndpoint,
    failures,
    skew: () => skew.current,
    beforeDeletion: async (clientId, signal) => {
      if (!own.isKeptInVault(clientId)) return;
      await own.readAgain(signal);
      await token.renew(signal);
    },
  };
}
