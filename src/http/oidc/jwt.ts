import { decodeJwt, errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import type { OidcSettings } from '../../config/settings.ts';
import type { Clock } from '../../domain/ports.ts';
import type { Log } from '../../telemetry/log.ts';
import { unauthorized } from '../access.ts';
import type { Caller, IdentifyJwt } from '../access.ts';
import { HttpProblem } from '../problem.ts';
import { actorOf, rolesOf } from './bearer.ts';
import { KEY_TIMES, keysOf } from '../../oidc/keys.ts';
import type { KeyTimes } from '../../oidc/keys.ts';
import { KeysUnavailable } from '../../oidc/keys-unavailable.ts';

/** Signatures that only who has a private key can make: with HS* everybody who knows our keys could. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** Seconds that the clocks may differ. */
const CLOCK_TOLERANCE = 30;
/** Tokens of Kubernetes and GitHub have 1 to 2 KB. */
const LONGEST_TOKEN = 8 * 1_024;
const SHAPE = /^[\w-]+\.[\w-]+\.[\w-]*$/;

export interface JwtOptions {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly log: Log;
  /** For tests. */
  readonly times?: KeyTimes;
}

/** Takes the JWTs of these issuers: see {@link IdentifyJwt}. Nothing is fetched before the first one comes. */
export function createIdentifyJwt(issuers: readonly OidcSettings[], options: JwtOptions): IdentifyJwt {
  const known = new Map(
    issuers.map((settings) => {
      const keys = keysOf(settings, options.times ?? KEY_TIMES, options);
      return [settings.issuer, { settings, keys, roleOf: rolesOf(settings) }] as const;
    }),
  );
  return async (token) => {
    if (token.length > LONGEST_TOKEN || !SHAPE.test(token)) return null;
    // not believed before the signature is: it only says whose keys to try
    const issuer = known.get(claimedIssuer(token));
    if (issuer === undefined) return null;
    const { settings, keys, roleOf } = issuer;
    const { issuer: iss, audience } = settings;
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: iss,
        audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_TOLERANCE,
        currentDate: new Date(options.clock.now()),
      });
      return callerOf(settings, payload, roleOf(payload));
    } catch (error) {
      throw refusalOf(error);
    }
  };
}

function callerOf(settings: OidcSettings, claims: JWTPayload, role: Caller['role'] | null): Caller {
  if (role === null) {
    throw new HttpProblem(
      'forbidden',
      'The token is valid, but none of `http.oidc[].roles` gives a role to who bears it.',
    );
  }
  const actor = actorOf(settings, claims);
  if (actor === null) {
    throw new HttpProblem(
      'forbidden',
      'The token is valid, but has no claim that names its bearer: see `http.oidc[].name`.',
    );
  }
  return { actor, role };
}

function claimedIssuer(token: string): string {
  try {
    return decodeJwt(token).iss ?? '';
  } catch {
    return ''; // no JWT: nobody's
  }
}

function refusalOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof KeysUnavailable || error instanceof errors.JWKSInvalid) {
    return new HttpProblem('issuer-unreachable', "The keys of the token's issuer cannot be had now.", {
      headers: { 'retry-after': '5' },
    });
  }
  return unauthorized(whatIsWrong(error), ', error="invalid_token"');
}

/** In words of our own: jose's quote nothing secret, but are for programmers. */
function whatIsWrong(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.';
  if (error instanceof errors.JWTClaimValidationFailed) {
    switch (error.claim) {
      case 'aud':
        return 'The token is for another audience than this rekeyd.';
      case 'nbf':
        return 'The token is not valid yet.';
      case 'exp':
        return 'The token has no `exp`.';
      default:
        return 'A claim of the token is not what it must be.';
    }
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'The token is signed in a way that is not taken.';
  return "The token's signature is not one of its issuer's.";
}
