import { createHash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { compilePattern } from '../../config/pattern.ts';
import type { OidcSettings, Role } from '../../config/settings.ts';
import { printable } from '../../telemetry/printable.ts';

/** The longest part of a claim that stands as actor: it is chosen by who is outside. */
const LONGEST_NAME = 200;

/** Compiles the roles of an issuer. @returns the role of who bears these claims; null: none. */
export function rolesOf({ roles }: Pick<OidcSettings, 'roles'>): (claims: JWTPayload) => Role | null {
  const compiled = roles.map(({ claim, match, role }) => {
    const pattern = compilePattern(match);
    // told at load; what cannot be understood lets nobody in
    const matches = 'problem' in pattern ? () => false : (text: string) => pattern.match(text) !== null;
    return { claim, matches, role };
  });
  return (claims) => {
    const found = compiled.find(({ claim, matches }) => textsOf(claims, claim).some(matches));
    return found?.role ?? null;
  };
}

/**
 * What a bearer is called: `CLAIM@ISSUER`. It is never the name of a static token, which holds no `@`, nor that of another
 * issuer's bearer; it stays on its line, and it is bounded: what was changed for that ends in a digest of the whole.
 * @returns null where the claim is not there, or no text.
 */
export function actorOf({ issuer, name }: Pick<OidcSettings, 'issuer' | 'name'>, claims: JWTPayload): string | null {
  const claim = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (typeof claim !== 'string' || claim === '') return null;
  return `${shown(claim)}@${issuer.replace(/^https?:\/\//, '')}`;
}

function shown(text: string): string {
  const safe = printable(text.toWellFormed());
  if (safe === text && text.length <= LONGEST_NAME) return text;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${safe.slice(0, LONGEST_NAME - 20).toWellFormed()}…${digest}`;
}

function textsOf(claims: JWTPayload, name: string): string[] {
  const claim = Object.hasOwn(claims, name) ? claims[name] : undefined;
  return [claim].flat().filter((each) => typeof each === 'string');
}
