import { createHmac } from 'node:crypto';
import type { SecretValue } from '../domain/secret-value.ts';
import type { Instant } from '../domain/time.ts';

/**
 * The headers that prove a call: when it was sent (seconds since 1970), and the HMAC-SHA-256 over that time, a dot and the body.
 * The time is signed too, so that an old call cannot be sent again as a new one.
 */
export function signatureOf(body: string, secret: SecretValue, now: Instant): Record<string, string> {
  const timestamp = String(Math.floor(now / 1_000));
  const signature = createHmac('sha256', secret.reveal()).update(`${timestamp}.${body}`).digest('hex');
  return { 'rekeyd-timestamp': timestamp, 'rekeyd-signature': `sha256=${signature}` };
}
