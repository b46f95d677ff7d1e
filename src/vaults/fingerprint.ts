import { createHmac } from 'node:crypto';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import { MARK_FIELDS, markToFields } from './mark-fields.ts';

/**
 * What binds a mark to the value that it describes: HMAC-SHA-256 keyed by the value, over the mark. Whoever changes either
 * of them breaks it, and it tells nothing of the value to who does not have it. Hex.
 */
export function fingerprint(payload: Payload, mark: Mark): string {
  const fields = markToFields(mark);
  return keyedByValue(payload, ['mark', payload.form, ...MARK_FIELDS.map((field) => fields[field])]);
}

/** A name for a value at a place, which tells nothing of it and is the same as long as it is the same. Hex. */
export function valueVersion(payload: Payload, place: string): string {
  return keyedByValue(payload, ['version', place]).slice(0, 32);
}

function keyedByValue(payload: Payload, message: readonly string[]): string {
  return createHmac('sha256', payload.content.reveal()).update(JSON.stringify(message)).digest('hex');
}
