import { z } from 'zod';
import type { Backends } from './backends.ts';
import { deliverShape, settingsShape, vaultShape } from './schema.ts';
import { isOpen } from './schema-keys.ts';

/** A JSON Schema, as plain JSON. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

const REFERENCE = { $ref: '#/definitions/reference' };

/**
 * The JSON Schema of a configuration file, for editors: made of the same schemas that the loader checks with. A text with
 * `${…}` may stand wherever a number, a boolean, a duration or a word of a list is wanted.
 */
export function configJsonSchema(backends: Backends): JsonSchema {
  const whole = jsonSchemaOf(z.strictObject(settingsShape));
  const properties = whole['properties'] as Record<string, JsonSchema>;
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'rekeyd configuration',
    description: 'See docs/configuration.md.',
    ...whole,
    properties: {
      ...properties,
      issuers: named(properties['issuers'], typed(backends.issuers, {}, null)),
      vaults: named(properties['vaults'], typed(backends.vaults, vaultShape, null)),
      ledger: { ...pick(properties['ledger'], ['description', 'default']), ...typed(backends.ledgers, {}, 'sqlite') },
      credentials: withDestinations(properties['credentials'], backends.vaults),
    },
    definitions: {
      reference: {
        type: 'string',
        pattern: '\\$\\{',
        description: 'A text with ${NAME}, ${NAME:-default} or ${file:/path} in it.',
      },
    },
  };
}

/** The options of one type, as a JSON Schema of an object. */
export function optionsJsonSchema(schema: z.ZodType): JsonSchema {
  const json = jsonSchemaOf(schema);
  return isOpen(schema) ? json : { ...json, additionalProperties: false };
}

/** The JSON Schema of what is written in a file, not of what is read out of it. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, { io: 'input', target: 'draft-07', unrepresentable: 'any', reused: 'inline' });
  return relaxed(omit(json, ['$schema'])) as JsonSchema;
}

/** Lets a reference stand for what is narrower than text, and drops bounds that say nothing. */
function relaxed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relaxed);
  if (!isSchema(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => Math.abs(Number(item)) !== Number.MAX_SAFE_INTEGER);
  const json: JsonSchema = Object.fromEntries(
    entries.map(([key, item]) => [key, key === 'propertyNames' || key === 'default' ? item : relaxed(item)]),
  );
  if (!isNarrow(json)) return json;
  const outer = pick(json, ['description', 'default']);
  return { ...outer, anyOf: [omit(json, Object.keys(outer)), REFERENCE] };
}

function isNarrow(json: JsonSchema): boolean {
  if (['number', 'integer', 'boolean'].includes(String(json['type']))) return true;
  if (json['type'] !== 'string') return false;
  return Number(json['minLength'] ?? 0) > 1 || ['const', 'enum', 'pattern'].some((key) => Object.hasOwn(json, key));
}

/** An object whose `type` decides what else it may hold. */
function typed(
  types: ReadonlyMap<string, { readonly schema: z.ZodType }>,
  common: z.ZodRawShape,
  defaultType: string | null,
): JsonSchema {
  const shared = jsonSchemaOf(z.object(common))['properties'] as JsonSchema;
  return {
    type: 'object',
    properties: { type: { enum: [...types.keys()], ...(defaultType === null ? {} : { default: defaultType }) } },
    ...(defaultType === null ? { required: ['type'] } : {}),
    allOf: [...types].map(([type, { schema }]) => {
      const options = optionsJsonSchema(schema);
      const properties = { type: { const: type }, ...(options['properties'] as JsonSchema | undefined), ...shared };
      const condition = { properties: { type: { const: type } } };
      return {
        if: type === defaultType ? condition : { ...condition, required: ['type'] },
        then: { ...options, properties },
      };
    }),
  };
}

function named(section: JsonSchema | undefined, item: JsonSchema): JsonSchema {
  return { ...section, additionalProperties: item };
}

/** A rule's destinations may hold what any type of vault knows: which vault a name stands for, an editor cannot tell. */
function withDestinations(section: JsonSchema | undefined, vaults: Backends['vaults']): JsonSchema {
  const own: Record<string, unknown> = {};
  for (const vault of vaults.values()) {
    const added = jsonSchemaOf(z.object(vault.destination))['properties'] as JsonSchema;
    for (const [key, json] of Object.entries(added)) own[key] = key in own ? { anyOf: [own[key], json] } : json;
  }
  const common = jsonSchemaOf(z.strictObject(deliverShape));
  const destination = { ...common, properties: { ...own, ...(common['properties'] as JsonSchema) } };
  const rule = section?.['items'] as JsonSchema;
  const properties = rule['properties'] as Record<string, JsonSchema>;
  const deliver = { ...properties['deliver'], items: destination };
  return { ...section, items: { ...rule, properties: { ...properties, deliver } } };
}

function pick(json: JsonSchema | undefined, keys: readonly string[]): JsonSchema {
  return Object.fromEntries(Object.entries(json ?? {}).filter(([key]) => keys.includes(key)));
}

function omit(json: object, keys: readonly string[]): JsonSchema {
  return Object.fromEntries(Object.entries(json).filter(([key]) => !keys.includes(key)));
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null;
}
