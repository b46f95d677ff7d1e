import type { Payload } from '../../domain/payload.ts';
import { SecretValue } from '../../domain/secret-value.ts';
import { isObject, parseJson } from '../../domain/json.ts';

/** What the engine keeps under a name: keys and values, of which some may be of others. */
export type KvData = Readonly<Record<string, unknown>>;

/** The key of an opaque payload. */
const OPAQUE_KEY = 'value';

/**
 * Which keys of an entry are a payload: those of its fields, in their order; null: it is opaque, under `value`; `*`: nobody
 * knows any more, so all of them.
 */
export type PayloadKeys = readonly string[] | '*' | null;

/**
 * A payload as it will be read back, and its keys: JSON may be written in more than one way, and a fingerprint takes the
 * text as it stands. Null where it has fields and is no JSON object, or has nothing in it.
 */
export function normalized(payload: Payload): { readonly payload: Payload; readonly keys: PayloadKeys } | null {
  const fields = payload.form === 'opaque' ? null : parseJson(payload.content.reveal());
  if (fields === null) return payload.content.isEmpty ? null : { payload, keys: null };
  if (!isObject(fields)) return null;
  const keys = Object.keys(fields);
  const again = payloadIn(fields, keys);
  return again === null ? null : { payload: again, keys };
}

/** The payload under these keys; null where there is nothing under any of them. */
export function payloadIn(data: KvData, keys: PayloadKeys): Payload | null {
  const every = Object.keys(data);
  if (keys === null || (keys === '*' && every.length === 1 && typeof data[OPAQUE_KEY] === 'string')) {
    const value = Object.hasOwn(data, OPAQUE_KEY) ? data[OPAQUE_KEY] : null;
    return typeof value === 'string' && value !== '' ? { form: 'opaque', content: SecretValue.of(value) } : null;
  }
  const fields = (keys === '*' ? every : keys).map(
    (key) => [key, Object.hasOwn(data, key) ? data[key] : null] as const,
  );
  if (fields.every(([, value]) => value === null)) return null;
  return { form: 'fields', content: SecretValue.of(JSON.stringify(Object.fromEntries(fields))) };
}

/**
 * What an entry holds after a delivery: `before`, without the keys that were delivered last, with those of `payload`. A
 * field that is unset has no key, since consumers have no null to expect.
 */
export function dataWith(before: KvData, last: PayloadKeys, payload: Payload): KvData {
  const stale = new Set(last === null ? [OPAQUE_KEY] : last === '*' ? [] : last);
  const merged = new Map(Object.entries(before).filter(([key]) => !stale.has(key)));
  const text = payload.content.reveal();
  const fields = payload.form === 'opaque' ? { [OPAQUE_KEY]: text } : parseJson(text);
  for (const [key, value] of Object.entries(isObject(fields) ? fields : {})) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}
