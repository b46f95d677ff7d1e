import { readFile } from 'node:fs/promises';
import { createRemoteJWKSet, customFetch } from 'jose';
import type { JWTVerifyGetKey } from 'jose';
import { urlProblem } from '../config/fields.ts';
import type { OidcSettings } from '../config/settings.ts';
import { safeMessage } from '../domain/errors.ts';
import { isObject, parseJson } from '../domain/json.ts';
import type { Clock } from '../domain/ports.ts';
import { SecretValue } from '../domain/secret-value.ts';
import { MINUTE, SECOND } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { Log } from '../telemetry/log.ts';
import { fetchText } from './fetch-text.ts';
import { KeysUnavailable } from './keys-unavailable.ts';

/** How keys are fetched. */
export interface KeyTimes {
  /** Of a whole fetch, discovery included. */
  readonly timeout: Duration;
  /** A key that is not known makes keys be fetched anew, this often at most: strangers choose what a token names. */
  readonly cooldown: Duration;
  /** So long keys are believed; then they are fetched anew. */
  readonly maxAge: Duration;
  /** So long after a fetch that failed nothing is asked, and everybody is told so. */
  readonly afterFailure: Duration;
}

export const KEY_TIMES: KeyTimes = {
  timeout: 5 * SECOND,
  cooldown: 30 * SECOND,
  maxAge: 10 * MINUTE,
  afterFailure: 5 * SECOND,
};

/**
 * Finds the key that a token names among those of its issuer, fetched when they are first needed.
 * @returns for `jwtVerify`; it throws KeysUnavailable where they cannot be had, jose's errors for a key that is not there.
 */
export function keysOf(
  settings: OidcSettings,
  times: KeyTimes,
  { clock, log }: { readonly clock: Pick<Clock, 'monotonic'>; readonly log: Log },
): JWTVerifyGetKey {
  let failedAt: Instant | null = null;
  const load = async (signal: AbortSignal): Promise<Response> => {
    if (failedAt !== null && clock.monotonic() - failedAt < times.afterFailure) throw new KeysUnavailable();
    try {
      const keys = await fetchKeys(settings, signal);
      failedAt = null;
      return new Response(keys);
    } catch (error) {
      failedAt = clock.monotonic();
      log.warn('oidc-keys-failed', 'the keys of an OIDC issuer cannot be had: its tokens are answered with 503', {
        issuer: settings.issuer,
        error: safeMessage(error),
      });
      throw new KeysUnavailable();
    }
  };
  // the URL is found out with each fetch, so that an issuer may move its keys
  return createRemoteJWKSet(new URL(settings.jwksUrl ?? settings.issuer), {
    timeoutDuration: times.timeout,
    cooldownDuration: times.cooldown,
    cacheMaxAge: times.maxAge,
    [customFetch]: (_url, { signal }) => load(signal),
  });
}

/** @returns the key set, as JSON that holds a list of keys. @throws KeysUnavailable, and what reading a file throws. */
async function fetchKeys({ issuer, jwksUrl, ca, tokenFile }: OidcSettings, signal: AbortSignal): Promise<string> {
  const trusted = ca === null ? null : await readFile(ca, 'utf8');
  const token = tokenFile === null ? null : SecretValue.of((await readFile(tokenFile, 'utf8')).trim());
  const home = new URL(jwksUrl ?? issuer).origin;
  // to the host that was configured, and to no other that a document names
  const get = (url: string): Promise<string> =>
    fetchText(url, { ca: trusted, token: new URL(url).origin === home ? token : null, signal });
  const text = await get(jwksUrl ?? (await discover(issuer, get)));
  const keys = parseJson(text);
  if (isObject(keys) && Array.isArray(keys['keys']) && keys['keys'].every(isObject)) return text;
  throw new KeysUnavailable('what stands where its keys should be is no key set');
}

/** OpenID Connect Discovery 1.0, 4. @throws KeysUnavailable */
async function discover(issuer: string, get: (url: string) => Promise<string>): Promise<string> {
  const document = parseJson(await get(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`));
  if (!isObject(document)) throw new KeysUnavailable('its discovery document is no JSON object');
  if (document['issuer'] !== issuer)
    throw new KeysUnavailable('its discovery document names another issuer than the configuration');
  const url = document['jwks_uri'];
  if (typeof url !== 'string' || urlProblem(url) !== null)
    throw new KeysUnavailable('its discovery document names no URL of keys that is https, or loopback');
  return url;
}
