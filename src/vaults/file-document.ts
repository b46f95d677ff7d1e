import { hash } from 'node:crypto';
import { z } from 'zod';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import { formatInstant } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import { fingerprint } from './fingerprint.ts';
import { MARK_FIELDS, markFromFields, markToFields } from './mark-fields.ts';

const MARK_PREFIX = 'rekeyd-';

const documentSchema = z.object({
  format: z.literal(1),
  created: z.string(),
  mark: z.record(z.string(), z.string()).nullish(),
  form: z.enum(['fields', 'opaque']),
  /** The age public key that it was encrypted for. */
  recipient: z.string(),
  ciphertext: z.string(),
  /** SHA-256 of mark, form and ciphertext: shows a change from outside without the key. */
  checksum: z.string().nullish(),
  /** HMAC-SHA-256 keyed by the value: proves that the mark was made by who knew the value. */
  proof: z.string().nullish(),
});

/** One version of an entry, as a file vault keeps it: a JSON file of which the value alone is encrypted. */
export interface FileDocument {
  readonly mark: Mark | null;
  readonly form: Payload['form'];
  readonly recipient: string;
  /** Base64; empty: there is no value. */
  readonly ciphertext: string;
  readonly checksum: string | null;
  readonly proof: string | null;
}

/** A document that says nothing: what an empty file stands for. */
const EMPTY: FileDocument = {
  mark: null,
  form: 'opaque',
  recipient: '',
  ciphertext: '',
  checksum: null,
  proof: null,
};

/** @returns null where it is no document of ours; it does not throw, and never quotes its input. */
export function parseDocument(text: string): FileDocument | null {
  if (text.trim() === '') return EMPTY;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = documentSchema.safeParse(value);
  if (!parsed.success) return null;
  const { mark, form, recipient, ciphertext, checksum, proof } = parsed.data;
  const fields = Object.entries(mark ?? {}).flatMap(([key, field]) =>
    key.startsWith(MARK_PREFIX) ? [[key.slice(MARK_PREFIX.length), field] as const] : [],
  );
  return {
    mark: markFromFields(Object.fromEntries(fields)),
    form,
    recipient,
    ciphertext,
    checksum: checksum ?? null,
    proof: proof ?? null,
  };
}

/** The text of a version: `ciphertext` is `payload`, encrypted for `recipient`. */
export function formatDocument(
  payload: Payload,
  mark: Mark,
  encrypted: { readonly recipient: string; readonly ciphertext: string },
  created: Instant,
): string {
  const fields = Object.entries(markToFields(mark)).map(([key, field]) => [`${MARK_PREFIX}${key}`, field]);
  const document: z.input<typeof documentSchema> = {
    format: 1,
    created: formatInstant(created),
    mark: Object.fromEntries(fields) as Record<string, string>,
    form: payload.form,
    recipient: encrypted.recipient,
    ciphertext: encrypted.ciphertext,
    checksum: checksumOf(mark, payload.form, encrypted.ciphertext),
    proof: fingerprint(payload, mark),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Whether the mark describes the ciphertext that is there, as far as can be told without the key. */
export function isWhole(document: FileDocument): boolean {
  return (
    document.mark !== null &&
    document.ciphertext !== '' &&
    document.checksum === checksumOf(document.mark, document.form, document.ciphertext)
  );
}

/** Whether the mark was made by who knew this value. */
export function isProven(document: FileDocument, payload: Payload): boolean {
  return document.mark !== null && document.proof === fingerprint(payload, document.mark);
}

/** Tells two ciphertexts apart, whatever their marks. */
export function ciphertextDigest(document: FileDocument): string {
  return hash('sha256', document.ciphertext, 'hex').slice(0, 16);
}

function checksumOf(mark: Mark, form: Payload['form'], ciphertext: string): string {
  const fields = markToFields(mark);
  const message = JSON.stringify([form, ciphertext, ...MARK_FIELDS.map((field) => fields[field])]);
  return hash('sha256', message, 'hex');
}
