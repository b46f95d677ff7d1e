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
  const own = new OwnClient(options, tokenEndpoint, context.rereadOptions ?? null, failures, context.log);
  const token = new AccessToken((signal) => own.fetchToken(signal), context, context.log);
  const api = new HttpData8Api(options.baseUrl, { sender: apiSender, token, ownSecret: () => own.secret, failures });
  return { api, tokenEndpoint, failures, skew: () => skew.current };
}
