import { isIP } from 'node:net';
import { z } from 'zod';
import { DAY, formatDuration, parseDuration } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';

/** Longer than this is taken for a mistake; it also keeps every computed time inside what a date can hold. */
const LONGEST: Duration = 36_500 * DAY;

/**
 * A duration as a person writes it (`45s`, `15m`, `36h`, `90d`), read into milliseconds. Issuers, vaults and ledgers use it
 * in their own schemas too, so that the generated JSON Schema knows the form. A default is given as
 * `duration().prefault('30s')`, so that the schema and the docs show it as a person writes it.
 * @param least the shortest that is allowed, in milliseconds.
 */
export function duration(least: Duration = 0) {
  return z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, 'must be a duration such as 45s, 15m, 36h or 90d')
    .transform((text, context): Duration => {
      const value = parseDuration(text);
      if (value !== null && value >= least && value <= LONGEST) return value;
      context.addIssue({
        code: 'custom',
        message:
          value !== null && value < least ? `must be at least ${formatDuration(least)}` : 'must not be above 36500d',
      });
      return z.NEVER;
    });
}

/** Names of issuers, vaults and policies: they appear in metrics, marks, URLs and on the command line. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** The schema of such a name. */
export function name() {
  return z
    .string()
    .regex(NAME, 'must be 1 to 63 letters, digits, dots, dashes or underscores, and start with a letter or digit');
}

/** Whether a text is an IP address, or a network of them such as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** A URL with https, or with http to this machine itself. */
export function httpUrl() {
  return z.string().superRefine((text, context) => {
    const problem = urlProblem(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });
}

/** Why a URL cannot be used for secrets; null where it can: https, or http to a loopback address. Never quotes it. */
export function urlProblem(text: string): string | null {
  if (!URL.canParse(text)) return 'must be a URL that starts with https://';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password';
  if (url.protocol === 'https:') return null;
  if (url.protocol === 'http:' && isLoopback(url.hostname)) return null;
  return 'must start with https:// (http:// is for this machine itself: localhost, 127.0.0.1, [::1])';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
