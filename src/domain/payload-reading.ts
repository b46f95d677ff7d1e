import { renderPayload, substitute } from './payload.ts';
import type { Format, Payload } from './payload.ts';
import { SecretValue } from './secret-value.ts';

/** Under which key map vaults keep an opaque payload. */
const OPAQUE_KEY = 'value';

/** What could be read back out of an entry. `secretId` is null where the entry does not name it. */
export interface ReadBack {
  readonly clientSecret: SecretValue;
  readonly secretId: string | null;
}

/**
 * The inverse of renderPayload: finds the value, and the secret id where the format names it, in an entry's payload.
 * @returns null where the payload does not have the format's shape; it does not throw, and never quotes its input.
 */
export function readPayload(
  format: Format,
  names: Readonly<Record<string, string>>,
  payload: Payload,
): ReadBack | null {
  const text = payload.content.reveal();
  switch (format.kind) {
    case 'value':
      return found(new Map([['clientSecret', opaqueText(payload.form, text)]]));
    case 'text':
      return found(matchTemplate(format.template, names, opaqueText(payload.form, text)));
    case 'fields': {
      const object = parseObject(text);
      if (object === null) return null;
      const values = new Map<string, string>();
      for (const [key, template] of Object.entries(format.fields)) {
        const value = Object.hasOwn(object, key) ? object[key] : undefined;
        // who writes an entry by hand may write an id without quotes
        if (template === '{secretId}' && Number.isSafeInteger(value)) values.set('secretId', String(value));
        if (typeof value !== 'string') continue;
        for (const [name, part] of matchTemplate(template, names, value)) values.set(name, part);
      }
      return found(values);
    }
  }
}

/**
 * A field of an entry, also of one that was made by hand as JSON; of an entry without fields all of it, less the line feed
 * that an editor ends a file with. @returns null where there is no text in it; it does not throw.
 */
export function readField(field: string, { content }: Payload): SecretValue | null {
  const text = content.reveal();
  const fields = parseObject(text);
  const value = fields === null ? text.replace(/\r?\n$/, '') : Object.hasOwn(fields, field) ? fields[field] : null;
  return typeof value === 'string' && value !== '' ? SecretValue.of(value) : null;
}

/**
 * The text of a payload that should have no fields. An entry of a map vault without a mark is read as all its keys, those of
 * others among them: the whole of it must not be taken for a secret, and sent to the token endpoint. Empty: it has no text.
 */
function opaqueText(form: Payload['form'], text: string): string {
  if (form === 'opaque') return text;
  const fields = parseObject(text);
  const value = fields !== null && Object.hasOwn(fields, OPAQUE_KEY) ? fields[OPAQUE_KEY] : null;
  return typeof value === 'string' ? value : '';
}

/** What may be in a secret (RFC 6749, A.2), and what a template that looks like JSON does not escape. */
const AWKWARD = SecretValue.of('a "secret" \\ of nobody');

/** Whether {@link readField} finds the secret, and nothing else, in whatever is delivered in this format. It does not throw. */
export function fieldHoldsSecret(field: string, format: Format): boolean {
  const payload = renderPayload(format, { names: {}, clientSecret: AWKWARD, secretId: '', expires: null });
  return readField(field, payload)?.equals(AWKWARD) ?? false;
}

function found(values: ReadonlyMap<string, string>): ReadBack | null {
  const clientSecret = values.get('clientSecret');
  if (clientSecret === undefined || clientSecret === '') return null;
  const secretId = values.get('secretId');
  return {
    clientSecret: SecretValue.of(clientSecret),
    secretId: secretId === undefined || secretId === '' ? null : secretId,
  };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null; // JSON.parse quotes its input in its message: nothing of it may go on
  }
}

/** Matches `text` against a template in which clientSecret, secretId and expires are open; empty where it does not fit. */
function matchTemplate(template: string, names: Readonly<Record<string, string>>, text: string): Map<string, string> {
  const open: string[] = [];
  // nothing is beside it that it would have to be told from: it may hold spaces (RFC 6749, A.2)
  if (template === '{clientSecret}') return new Map([['clientSecret', text]]);
  const pattern = template
    .split(/(\{(?:clientSecret|secretId|expires)\})/)
    .map((part) => {
      const name = /^\{(clientSecret|secretId|expires)\}$/.exec(part)?.[1];
      if (name === undefined) return escapeRegExp(substitute(part, names));
      open.push(name);
      return name === 'clientSecret' ? '([^\\s]+?)' : '([0-9A-Za-z:.+-]*?)';
    })
    .join('');
  const match = new RegExp(`^${pattern}$`).exec(text);
  if (match === null) return new Map();
  return new Map(open.map((name, index) => [name, match[index + 1] ?? '']));
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
