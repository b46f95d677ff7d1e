import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Role, TokenSettings } from '../config/settings.ts';
import { HttpProblem } from './problem.ts';

/** Who asks. `actor` is a token's name, `socket`, or `CLAIM@ISSUER` of who bears a JWT. */
export interface Caller {
  readonly actor: string;
  readonly role: Role;
}

/** What a route asks of its caller: `public` is nothing; an operator may do what a viewer may. */
export type Access = 'public' | Role;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Must be set on every route. */
    access?: Access;
    /** Never refused for the number of requests: who asks whether it lives must not be told that it is busy. */
    unlimited?: true;
  }
  interface FastifyInstance {
    /** Whether its sender may do this now: tokens end, and may have been taken out since it came. */
    isStillAllowed(request: FastifyRequest, access: Role): Promise<boolean>;
  }
  interface FastifyRequest {
    /** Null on public routes. */
    caller: Caller | null;
  }
}

/**
 * Finds out who sends a request. @throws HttpProblem `unauthorized` or `no-token-configured`; of JWTs also `forbidden` and
 * `issuer-unreachable`.
 */
export type Identify = (request: FastifyRequest) => Caller | Promise<Caller>;

/**
 * Finds out who bears a JWT; null: it is none of an issuer that is known here.
 * @throws HttpProblem `unauthorized`, `forbidden` or `issuer-unreachable`.
 */
export type IdentifyJwt = (token: string) => Promise<Caller | null>;

/** Whoever may open the local socket (0600) is an operator. */
export const identifyBySocket: Identify = () => ({ actor: 'socket', role: 'operator' });

/**
 * Bearer tokens, compared as SHA-256 digests in constant time; each is always compared with all, so that the time tells
 * neither which one it was nor how many there are before it. What is none of them may be a JWT: tokens are looked at first,
 * so that they go on working whatever becomes of an issuer of JWTs.
 * @param jwt null: no issuer is configured.
 */
export function identifyByToken(tokens: readonly TokenSettings[], jwt: IdentifyJwt | null = null): Identify {
  const known = tokens.map(({ name, role, sha256 }) => ({ actor: name, role, digest: Buffer.from(sha256, 'hex') }));
  return (request) => {
    if (known.length === 0 && jwt === null) {
      throw new HttpProblem(
        'no-token-configured',
        'Over the port only health and metrics answer until `http.tokens` is configured; the local socket needs none.',
      );
    }
    const token = bearerToken(request.headers.authorization);
    if (token === null) throw unauthorized('Send the header `authorization: Bearer TOKEN`.', '');
    const digest = createHash('sha256').update(token).digest();
    let caller: Caller | null = null;
    for (const { actor, role, digest: other } of known) {
      if (timingSafeEqual(digest, other) && caller === null) caller = { actor, role };
    }
    return caller ?? byJwt(token, jwt);
  };
}

async function byJwt(token: string, jwt: IdentifyJwt | null): Promise<Caller> {
  const caller = jwt === null ? null : await jwt(token);
  if (caller === null) throw unauthorized('The token is not known here.', ', error="invalid_token"');
  return caller;
}

/** @throws HttpProblem `forbidden` where the caller may not do what a route of this access does. */
export function authorize(caller: Caller, access: Role): void {
  if (access === 'operator' && caller.role !== 'operator') {
    throw new HttpProblem('forbidden', 'This needs a token with the role `operator`.');
  }
}

/** Who acts. For routes that are not public. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Error('a public route has no caller');
  return request.caller;
}

function bearerToken(header: string | undefined): string | null {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(header ?? '')?.[1] ?? null;
}

/** @param error what to add to the header, RFC 6750, 3; empty: nothing. */
export function unauthorized(detail: string, error: string): HttpProblem {
  return new HttpProblem('unauthorized', detail, { headers: { 'www-authenticate': `Bearer realm="rekeyd"${error}` } });
}
