import type { SecretValue } from '../domain/secret-value.ts';
import { SECOND } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';

/** How a call ended: the answer's status, or null with what kept it from coming. Nothing of the URL is in it. */
export type PostResult =
  { readonly status: number; readonly retryAfter: Duration | null } | { readonly status: null; readonly error: string };

export interface PostRequest {
  readonly url: SecretValue;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: Duration;
  readonly signal: AbortSignal;
}

/** Sends one call. Redirects are not followed, and the answer's body is not read. It does not throw. */
export async function post({ url, body, headers, timeout, signal }: PostRequest): Promise<PostResult> {
  // loaded with the first call, as in issuers/data8/exchange.ts
  const { default: ky } = await import('ky');
  try {
    const response = await ky.post(url.reveal(), {
      headers: { 'content-type': 'application/json', 'user-agent': 'rekeyd', ...headers },
      body,
      redirect: 'manual',
      retry: 0,
      timeout,
      throwHttpErrors: false,
      signal,
    });
    await response.body?.cancel();
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return { status: response.status, retryAfter: seconds > 0 ? seconds * SECOND : null };
  } catch (error) {
    // ky's errors hold the request, and with it the URL: just the kind is told
    const late = error instanceof Error && error.name === 'TimeoutError';
    return { status: null, error: late ? 'no answer in time' : `no connection (${codeOf(error)})` };
  }
}

/** `ECONNREFUSED` and the like: it stands in a cause of a cause. */
function codeOf(error: unknown): string {
  let at = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth += 1) {
    if ('code' in at && typeof at.code === 'string' && /^[A-Z_]+$/.test(at.code)) return at.code;
    at = at.cause;
  }
  return 'unknown';
}
