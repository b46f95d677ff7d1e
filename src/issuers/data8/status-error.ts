import type { IssuerError, IssuerFault } from '../../domain/errors.ts';
import type { SecretValue } from '../../domain/secret-value.ts';
import type { Reply } from './exchange.ts';
import type { Data8Operation, Failures } from './failure.ts';
import { describeProblem, distillProblem } from './problem.ts';

/**
 * Makes the typed error of an answer that is not 2xx. Of its body only type, title and trace id are kept.
 * A 4xx is a refusal, so that surely nothing was done; but for 408, which only says that somebody lost patience.
 * @param context `at`: who answered, or what it was about. `ambiguous`: an earlier attempt may have been applied.
 */
export function statusError(
  reply: Reply,
  operation: Data8Operation,
  failures: Failures,
  secrets: readonly SecretValue[],
  context: { readonly at: string; readonly ambiguous?: boolean },
): IssuerError {
  const { status, retryAfter } = reply;
  const problem = describeProblem(distillProblem(reply.body, secrets));
  const message = `${context.at} answered ${status}${problem}${advice(status)}`;
  const refusal = status >= 400 && status < 500 && status !== 408;
  return failures.make(faultOf(status), operation, message, {
    status,
    retryAfter,
    surelyNotApplied: refusal && context.ambiguous !== true,
  });
}

function faultOf(status: number): IssuerFault {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status === 429) return 'throttled';
  if (status === 408 || status >= 500) return 'unavailable';
  return 'rejected';
}

function advice(status: number): string {
  if (status >= 300 && status < 400)
    return '; redirects are not followed: put the final address into the configuration';
  if (status === 401) return ', to a fresh token: check clientId, scope and baseUrl';
  if (status === 403) return '; give this client the right to do it in the Data8 account';
  if (status === 429) return '; lower requestsPerSecond if this goes on';
  return '';
}
