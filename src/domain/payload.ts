import { SecretValue } from './secret-value.ts';
import { formatInstant } from './time.ts';
import type { Instant } from './time.ts';

/** How an entry's payload is made. */
export type Format =
  | { readonly kind: 'fields'; readonly fields: Readonly<Record<string, string>> }
  | { readonly kind: 'value' }
  | { readonly kind: 'text'; readonly template: string };

/** Format `json` without `fields`. */
export const DEFAULT_FORMAT: Format = {
  kind: 'fields',
  fields: { clientId: '{clientId}', clientSecret: '{clientSecret}', secretId: '{secretId}', expires: '{expires}' },
};

/**
 * What is delivered. `fields`: compact JSON of an object of strings (`expires` may be null); map vaults store one key a
 * field. `opaque`: text as it stands; map vaults store it under the key `value`.
 */
export interface Payload {
  readonly form: 'fields' | 'opaque';
  readonly content: SecretValue;
}

/** What placeholders stand for. `names` are those known before a secret exists: clientId, name, issuer, captures, ... */
export interface PayloadValues {
  readonly names: Readonly<Record<string, string>>;
  readonly clientSecret: SecretValue;
  readonly secretId: string;
  readonly expires: Instant | null;
}

const PLACEHOLDER = /\{([A-Za-z][A-Za-z0-9_]*)\}/g;

/** Puts `values` in the place of `{name}`; an unknown name stays as it is. A result is never parsed again. */
export function substitute(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(PLACEHOLDER, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? whole) : whole,
  );
}

/** The names of the placeholders in a template, in order. */
export function placeholdersIn(template: string): string[] {
  return [...template.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');
}

/** Renders an entry's payload. `{expires}` of a secret that never expires is null in JSON, and empty in text. */
export function renderPayload(format: Format, values: PayloadValues): Payload {
  const all: Readonly<Record<string, string>> = {
    ...values.names,
    clientSecret: values.clientSecret.reveal(),
    secretId: values.secretId,
    expires: values.expires === null ? '' : formatInstant(values.expires),
  };
  switch (format.kind) {
    case 'value':
      return { form: 'opaque', content: values.clientSecret };
    case 'text':
      return { form: 'opaque', content: SecretValue.of(substitute(format.template, all)) };
    case 'fields': {
      const fields = Object.entries(format.fields).map(([key, template]) => [
        key,
        template === '{expires}' && values.expires === null ? null : substitute(template, all),
      ]);
      return { form: 'fields', content: SecretValue.of(JSON.stringify(Object.fromEntries(fields))) };
    }
  }
}

/** A digest-friendly text of a format: equal texts render equal payloads from equal values. */
export function formatFingerprint(format: Format): string {
  switch (format.kind) {
    case 'value':
      return 'value';
    case 'text':
      return `text:${format.template}`;
    case 'fields':
      return `fields:${JSON.stringify(Object.entries(format.fields).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
  }
}

/** Whether two formats render equal payloads from equal values. */
export function isSameFormat(a: Format, b: Format): boolean {
  if (a.kind === 'fields' && b.kind === 'fields') {
    const names = Object.keys(a.fields);
    return names.length === Object.keys(b.fields).length && names.every((name) => a.fields[name] === b.fields[name]);
  }
  return a.kind === 'text' && b.kind === 'text' ? a.template === b.template : a.kind === b.kind;
}
