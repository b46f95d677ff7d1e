import type { Mark } from '../../domain/mark.ts';
import type { Payload } from '../../domain/payload.ts';
import { valueVersion } from '../fingerprint.ts';

/**
 * The id that a version is put with (`ClientRequestToken`): of credential, secret id and a fingerprint keyed by the payload,
 * as a UUID of version 8 (RFC 9562). So a repeat, after a crash too, names the same version (V7).
 */
export function versionIdOf(entry: string, payload: Payload, { issuer, credential, secretId }: Mark): string {
  const hex = valueVersion(payload, JSON.stringify(['aws-secrets-manager', entry, issuer, credential, secretId]));
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b0011) | 0b1000).toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20)].join(
    '-',
  );
}
