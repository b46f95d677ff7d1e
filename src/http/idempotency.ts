import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RotateRequest } from '../daemon/api.ts';

const KEY = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

/** The headers of a request that may be sent again. Loose: it is not the only header. */
export const repeatableHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(KEY, 'must be 1 to 255 printable ASCII characters')
    .optional()
    .describe('Sent again with the same body within a day, the answer is the same and nothing new is started.'),
});

/**
 * What a request's `Idempotency-Key` says, as digests: of the key with who sent it, so that no caller meets another's, and
 * of the body as it was understood. Undefined without the header.
 */
export function onceOf(
  key: string | undefined,
  actor: string,
  body: { readonly note: string | null; readonly grace: number | null },
): RotateRequest['once'] {
  if (key === undefined) return undefined;
  return { key: digest([actor, key]), body: digest([body.note, body.grace]) };
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
