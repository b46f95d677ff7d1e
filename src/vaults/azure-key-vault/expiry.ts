import type { Payload } from '../../domain/payload.ts';
import type { Instant } from '../../domain/time.ts';

/** The SDK puts the time through a 32-bit integer: a later one would come out in the past. */
const LATEST: Instant = (2 ** 31 - 1) * 1000;

/**
 * When the secret in a payload ends, for `expiresOn`: only where the payload says so itself, as field `expires`. A mark has
 * no such part, and a time that is past, or beyond what the SDK can send, is left out rather than written wrong.
 */
export function expiryOf(payload: Payload, now: Instant): Date | undefined {
  if (payload.form !== 'fields') return undefined;
  const text = expiresIn(payload.content.reveal());
  if (text === null || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text)) return undefined;
  const instant = Date.parse(text);
  return instant > now && instant <= LATEST ? new Date(instant) : undefined;
}

function expiresIn(json: string): string | null {
  try {
    const fields: unknown = JSON.parse(json);
    if (typeof fields !== 'object' || fields === null || !('expires' in fields)) return null;
    return typeof fields.expires === 'string' ? fields.expires : null;
  } catch {
    return null; // JSON.parse quotes its input in its message: nothing of it may go on
  }
}
