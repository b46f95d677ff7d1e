import { z } from 'zod';
import type { Backends } from './backends.ts';
import { jsonSchemaOf, optionsJsonSchema } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { POLICY_DEFAULTS, deliverShape, policyShape, ruleShape, settingsShape, vaultShape } from './schema.ts';

/** Between these lines of docs/configuration.md stands what {@link keyTables} makes. */
export const TABLES_START = '<!-- The tables are made by `npm run generate`. -->\n<!-- prettier-ignore-start -->';
export const TABLES_END = '<!-- prettier-ignore-end -->';

/** Every key of the configuration, with type, default and meaning, as Markdown: made of the schemas of the loader. */
export function keyTables(backends: Backends): string {
  const policy = ruleShape.policy.describe('A name in `policies`, or a policy inline, which starts from `default`.');
  return [
    section(
      'General',
      rows(
        jsonSchemaOf(
          z.strictObject(without(settingsShape, ['issuers', 'vaults', 'policies', 'credentials', 'ledger'])),
        ),
        '',
      ),
    ),
    ...[...backends.ledgers].map(([type, { schema }]) =>
      section(`Ledger of type \`${type}\``, [
        typeRow('ledger', type, type === 'sqlite'),
        ...rows(optionsJsonSchema(schema), 'ledger.'),
      ]),
    ),
    ...[...backends.issuers].map(([type, { schema }]) =>
      section(`Issuer of type \`${type}\``, [
        typeRow('issuers.NAME', type, false),
        ...rows(optionsJsonSchema(schema), 'issuers.NAME.'),
      ]),
    ),
    section('Vaults of every type', rows(jsonSchemaOf(z.strictObject(vaultShape)), 'vaults.NAME.')),
    ...[...backends.vaults].map(([type, { schema, destination }]) =>
      section(`Vault of type \`${type}\``, [
        typeRow('vaults.NAME', type, false),
        ...rows(optionsJsonSchema(schema), 'vaults.NAME.'),
        ...rows(jsonSchemaOf(z.strictObject(destination)), 'credentials[].deliver[].'),
      ]),
    ),
    section('Policies', rows(jsonSchemaOf(z.strictObject(policyShape)), 'policies.NAME.', POLICY_DEFAULTS)),
    section('Rules', [
      ...rows(jsonSchemaOf(z.strictObject(without(ruleShape, ['deliver', 'policy']))), 'credentials[].'),
      ...rows(jsonSchemaOf(z.strictObject({ policy })), 'credentials[].'),
      ...rows(jsonSchemaOf(z.strictObject(deliverShape)), 'credentials[].deliver[].'),
    ]),
  ].join('\n');
}

function without<T extends object>(shape: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(shape).filter(([key]) => !keys.includes(key)));
}

interface Row {
  readonly key: string;
  readonly type: string;
  readonly fallback: string;
  readonly meaning: string;
}

function section(title: string, lines: readonly Row[]): string {
  const head = `### ${title}\n\n| Key | Type | Default | Meaning |\n|---|---|---|---|\n`;
  return head + lines.map((row) => `| \`${row.key}\` | ${row.type} | ${row.fallback} | ${row.meaning} |\n`).join('');
}

function typeRow(parent: string, type: string, isDefault: boolean): Row {
  const fallback = isDefault ? code(type) : 'required';
  return { key: `${parent}.type`, type: code(type), fallback, meaning: 'The type.' };
}

function rows(schema: JsonSchema, prefix: string, defaults: Readonly<Record<string, unknown>> = {}): Row[] {
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : [];
  return Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>).flatMap(([name, property]) => {
    const key = prefix + name;
    const inner = property['properties'] === undefined ? itemsOf(property) : property;
    const own = defaults[name];
    const nested =
      inner === undefined
        ? []
        : rows(
            inner,
            inner === property ? `${key}.` : `${key}[].`,
            typeof own === 'object' && own !== null ? (own as Record<string, unknown>) : {},
          );
    if (inner === property && nested.length > 0) return nested;
    if (Array.isArray(property['oneOf'])) return variants(key, property, required.includes(name));
    return [
      {
        key,
        type: typeText(property),
        fallback: fallbackText(property, own, required.includes(name)),
        meaning: meaningOf(property),
      },
      ...nested,
    ];
  });
}

/** A map whose keys depend on a word in it (`method`): the word first, then each key with the words that it goes with. */
function variants(key: string, union: JsonSchema, isRequired: boolean): Row[] {
  const options = (union['oneOf'] as JsonSchema[]).map((option) => option['properties'] as Record<string, JsonSchema>);
  const [first = {}] = options;
  const word = Object.keys(first).find((name) => options.every((each) => wordOfConst(each[name]) !== null)) ?? '';
  const preset = union['default'] as Readonly<Record<string, unknown>> | undefined;
  const chosen: Row = {
    key: `${key}.${word}`,
    type: options.map((each) => code(wordOfConst(each[word]) ?? '')).join(', '),
    fallback: preset?.[word] === undefined ? (isRequired ? 'required' : '') : code(wordOf(preset[word])),
    meaning: meaningOf(union),
  };
  const others = options.flatMap((each, index) =>
    rows({ ...(union['oneOf'] as JsonSchema[])[index], properties: without(each, [word]) }, `${key}.`).map((row) => ({
      ...row,
      meaning: `With ${code(wordOfConst(each[word]) ?? '')}: ${row.meaning.charAt(0).toLowerCase()}${row.meaning.slice(1)}`,
    })),
  );
  return [chosen, ...others];
}

/** Where a value is one fixed word, or a reference that comes to it. */
function wordOfConst(schema: JsonSchema | undefined): string | null {
  const told = [schema, ...((schema?.['anyOf'] as JsonSchema[] | undefined) ?? [])].find((each) => each?.['const']);
  return told === undefined ? null : wordOf(told['const']);
}

function itemsOf(property: JsonSchema): JsonSchema | undefined {
  const items = property['items'] as JsonSchema | undefined;
  return items?.['properties'] === undefined ? undefined : items;
}

function fallbackText(property: JsonSchema, own: unknown, isRequired: boolean): string {
  const value = own === undefined ? property['default'] : own;
  if (value !== undefined) return code(wordOf(value));
  return isRequired ? 'required' : '';
}

function meaningOf(property: JsonSchema): string {
  return cell(typeof property['description'] === 'string' ? property['description'] : '');
}

function typeText(schema: JsonSchema): string {
  if (Array.isArray(schema['anyOf'])) {
    const kinds = (schema['anyOf'] as JsonSchema[]).filter((option) => option['$ref'] === undefined).map(typeText);
    return [...new Set(kinds)].join(' or ');
  }
  if (schema['const'] !== undefined) return code(wordOf(schema['const']));
  if (Array.isArray(schema['enum'])) return (schema['enum'] as unknown[]).map((word) => code(wordOf(word))).join(', ');
  if (typeof schema['pattern'] === 'string' && schema['pattern'].includes('(ms|s|m|h|d)')) return 'duration';
  if (Array.isArray(schema['type'])) return schema['type'].map((type) => typeText({ ...schema, type })).join(' or ');
  switch (schema['type']) {
    case 'string':
      return 'text';
    case 'integer':
      return 'whole number';
    case 'array':
      return schema['items'] === undefined ? 'list' : `list of ${typeText(schema['items'] as JsonSchema)}`;
    case 'object':
      return 'map';
    default:
      return typeof schema['type'] === 'string' ? schema['type'] : 'any';
  }
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

/** A text as the cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
}
