import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a token says. */
export interface TokenClaims {
  readonly client_id: string;
  readonly scope: string;
  /** Seconds since the epoch. */
  readonly nbf: number;
  readonly exp: number;
  readonly jti: string;
}

/**
 * Access tokens: JWTs signed with a key of this process, so that none needs to be remembered. They end with the process,
 * with their time, or all at once by {@link revokeAll}.
 */
export class Bearer {
  #key = randomBytes(32);

  issue(clientId: string, scope: string, lifeSeconds: number, now: number): string {
    const nbf = Math.floor(now / 1000);
    const claims: TokenClaims = {
      client_id: clientId,
      scope,
      nbf,
      exp: nbf + lifeSeconds,
      jti: randomBytes(8).toString('hex').toUpperCase(),
    };
    const content = `${encode({ alg: 'HS256', typ: 'at+jwt' })}.${encode(claims)}`;
    return `${content}.${this.#sign(content).toString('base64url')}`;
  }

  /** What the token says; null where it is not ours, or has ended. */
  read(token: string, now: number): TokenClaims | null {
    const end = token.lastIndexOf('.');
    const content = token.slice(0, end);
    const signature = Buffer.from(token.slice(end + 1), 'base64url');
    const right = this.#sign(content);
    if (signature.length !== right.length || !timingSafeEqual(signature, right)) return null;
    const claims = JSON.parse(
      Buffer.from(content.slice(content.indexOf('.') + 1), 'base64url').toString(),
    ) as TokenClaims; // signed by us, so it is what we wrote
    return claims.exp * 1000 > now ? claims : null;
  }

  /** From now on every token that was issued is refused. */
  revokeAll(): void {
    this.#key = randomBytes(32);
  }

  #sign(content: string): Buffer {
    return createHmac('sha256', this.#key).update(content).digest();
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
