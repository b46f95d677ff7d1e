import fc from 'fast-check';

/** The part of JSON Schema that `/openapi.json` uses. What is not known here is an error, so that nothing goes unfuzzed. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

/** Values that a schema lets in. Texts are often times, durations or names: what a schema says of them only in words. */
export function validFor(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) return fc.oneof(...branches.map(validFor));
  if (Array.isArray(schema.type)) {
    return fc.oneof(...(schema.type as string[]).map((type) => validFor({ ...schema, type })));
  }
  switch (schema.type) {
    case 'string':
      return textFor(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'integer':
      return fc.integer(boundsOf(schema));
    case 'number':
      return fc.integer(boundsOf(schema));
    case 'array':
      return fc.array(validFor(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 5, 20),
      });
    case 'object': {
      const { properties = {}, required = [] } = schema;
      const model = Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, validFor(each)]));
      return fc.record(model, { requiredKeys: [...required] });
    }
    case undefined:
      return fc.jsonValue();
    default:
      throw new Error(`the fuzz does not know the type ${JSON.stringify(schema.type)}: teach it`);
  }
}

/** Values that a schema nearly lets in: one place of a valid one is changed, and keys come or go. */
export function nearlyFor(schema: JsonSchema): fc.Arbitrary<unknown> {
  return fc.tuple(validFor(schema), fc.nat(), oddValue, oddKey).map(([value, at, odd, key]) => {
    if (typeof value === 'string') return at % 2 === 0 ? odd : `${value}${typeof odd === 'string' ? odd : '\u0000'}`;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return odd;
    const entries = Object.entries(value);
    const place = at % (entries.length + 1);
    if (place === entries.length) return Object.fromEntries([...entries, [key, odd]]);
    return at % 3 === 0
      ? Object.fromEntries(entries.toSpliced(place, 1))
      : Object.fromEntries(entries.with(place, [entries[place]?.[0] ?? key, odd]));
  });
}

/** Anything at all. */
export const wild: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.dictionary(fc.constantFrom('__proto__', 'constructor', 'toString', 'note', ''), fc.jsonValue()),
);

const oddValue = fc.oneof(
  fc.constantFrom<unknown[]>(null, '', 0, -1, 1e308, true, [], {}, '..', '%00', 'x'.repeat(3_000), '\u202e', '999999d'),
  fc.string({ unit: 'binary' }),
);
const oddKey = fc.constantFrom('__proto__', 'constructor', 'extra', '', 'Note');

function textFor({ pattern, minLength = 0, maxLength = 100 }: JsonSchema): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  const fits = (text: string): boolean => text.length >= minLength && text.length <= maxLength;
  return fc
    .oneof(
      { weight: 4, arbitrary: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._ -]{0,20}$/) },
      { weight: 4, arbitrary: fc.constantFrom('45s', '15m', '36h', '14d', '2035-01-31T12:00:00Z', '0 3 * * *') },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength, maxLength: Math.min(maxLength, 60) }) },
      { weight: 1, arbitrary: fc.constantFrom('a'.repeat(minLength), 'z'.repeat(Math.min(maxLength, 3_000))) },
    )
    .filter(fits);
}

function boundsOf(schema: JsonSchema): { min: number; max: number } {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  return {
    min: Math.ceil(minimum ?? (exclusiveMinimum === undefined ? -1_000 : exclusiveMinimum + 1)),
    max: Math.floor(maximum ?? (exclusiveMaximum === undefined ? 1_000_000 : exclusiveMaximum - 1)),
  };
}
