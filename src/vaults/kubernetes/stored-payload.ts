import { z } from 'zod';
import type { Payload } from '../../domain/payload.ts';
import { SecretValue } from '../../domain/secret-value.ts';
import { valueVersion } from '../fingerprint.ts';
import { dataKeyProblem } from './names.ts';
import type { SecretPlace } from './names.ts';
import { dataOf, keysWrittenByUs } from './secret-object.ts';
import type { SecretObject } from './secret-object.ts';

/** Under which key text that is no object of fields lies. */
const OPAQUE_KEY = 'value';

const layoutSchema = z.object({
  form: z.enum(['fields', 'opaque']),
  /** In the order of the payload. */
  keys: z.array(z.string()).min(1),
  /** Those that are null in the payload. A Secret has no null: they are stored empty, so that `secretKeyRef` finds them. */
  unset: z.array(z.string()),
});

/** How a payload lies in the keys of a Secret: what it takes to read it back to the letter. */
export type Layout = z.output<typeof layoutSchema>;

const fieldsSchema = z.record(z.string(), z.string().nullable());

/** Reads a layout that {@link JSON.stringify} wrote; null where it is none. It does not throw. */
export function parseLayout(text: string | undefined): Layout | null {
  try {
    return layoutSchema.safeParse(JSON.parse(text ?? '')).data ?? null;
  } catch {
    return null; // somebody edited it: then the mark is not whole
  }
}

/** A payload as a Secret holds it: base64 by key. `problem`: why it cannot. */
export function layOut(
  payload: Payload,
): { readonly layout: Layout; readonly data: Readonly<Record<string, string>> } | { readonly problem: string } {
  const text = payload.content.reveal();
  if (payload.form === 'opaque') {
    return { layout: { form: 'opaque', keys: [OPAQUE_KEY], unset: [] }, data: { [OPAQUE_KEY]: toBase64(text) } };
  }
  const fields = Object.entries(parseFields(text) ?? {});
  if (fields.length === 0) return { problem: 'the payload has no fields, or one that is no text' };
  for (const [key] of fields) {
    const problem = dataKeyProblem(key);
    if (problem !== null) return { problem };
  }
  const unset = fields.filter(([, value]) => value === null).map(([key]) => key);
  return {
    layout: { form: 'fields', keys: fields.map(([key]) => key), unset },
    data: Object.fromEntries(fields.map(([key, value]) => [key, toBase64(value ?? '')])),
  };
}

/**
 * How the payload of a Secret without a mark lies: the keys that rekeyd wrote, where a mark was stripped off; else all of
 * them. Null where there is no key.
 */
export function inferLayout(secret: SecretObject): Layout | null {
  const there = [...dataOf(secret).keys()].sort();
  const written = keysWrittenByUs(secret.metadata);
  const ours = there.filter((key) => written.has(key));
  const keys = ours.length > 0 ? ours : there;
  if (keys.length === 0) return null;
  return { form: keys.length === 1 && keys[0] === OPAQUE_KEY ? 'opaque' : 'fields', keys, unset: [] };
}

/**
 * Reads a payload back; null where no key has a value. Whether it is what was delivered, its version tells: a key that is
 * gone or no text is left out here.
 */
export function takeUp(secret: SecretObject, layout: Layout): Payload | null {
  const data = dataOf(secret);
  const values = layout.keys.flatMap((key): [string, string | null][] => {
    const text = fromBase64(data.get(key));
    if (layout.unset.includes(key)) return [[key, null]];
    return text === null ? [] : [[key, text]];
  });
  if (values.every(([, value]) => value === null || value === '')) return null;
  const content = layout.form === 'opaque' ? (values[0]?.[1] ?? '') : JSON.stringify(Object.fromEntries(values));
  return { form: layout.form, content: SecretValue.of(content) };
}

/**
 * The version of a value. `resourceVersion` will not do: it changes with every label of anybody. It tells nothing of the
 * value, and is the same with and without the mark.
 */
export function versionOf(data: ReadonlyMap<string, string>, keys: readonly string[], place: SecretPlace): string {
  const stored = [...keys].sort().map((key) => [key, data.get(key) ?? null]);
  const content = SecretValue.of(JSON.stringify(stored));
  return valueVersion({ form: 'fields', content }, `${place.namespace}/${place.name}`);
}

function parseFields(text: string): Record<string, string | null> | null {
  try {
    return fieldsSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null; // JSON.parse quotes its input in its message: nothing of it may go on
  }
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/** Null where there is nothing, or no UTF-8. */
function fromBase64(base64: string | undefined): string | null {
  if (base64 === undefined) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    return null; // a binary value of somebody else
  }
}
