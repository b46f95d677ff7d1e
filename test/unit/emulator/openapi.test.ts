import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEmulator } from '../../../src/emulator/emulator.ts';
import type { Emulator } from '../../../src/emulator/emulator.ts';
import { seen } from './caller.ts';

/** One operation as the vendor's documentation has it; fields with the JSON type of their example. */
interface Documented {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly request: Fields | null;
  readonly responses: readonly Fields[];
}
type Fields = Readonly<Record<string, string>>;

const text = readFileSync(new URL('data8-administration-api.txt', import.meta.url), 'utf8');
const documented = parseDocument(text);

function parseDocument(document: string): Documented[] {
  const parts = document.split(/^(?=(?:GET|POST|PUT|DELETE)\n\n\/)/m).slice(1);
  return parts.map((part) => {
    const [method = '', path = '', summary = ''] = part.split('\n').filter((line) => line !== '');
    const [before = '', responses = ''] = part.split(/^Responses$/m);
    return { method, path, summary, request: examples(before)[0] ?? null, responses: examples(responses) };
  });
}

function examples(section: string): Fields[] {
  return [...section.matchAll(/^Example Value Schema\n(\{\n[^}]*\n\})$/gm)].map(([, json = '']) =>
    Object.fromEntries(
      Object.entries(JSON.parse(json) as Record<string, unknown>).map(([field, value]) => [field, typeName(value)]),
    ),
  );
}

function typeName(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value === 'number' ? 'integer' : typeof value;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}
interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
interface OpenApiOperation {
  readonly summary: string;
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

describe('the OpenAPI document and the vendor’s documentation', () => {
  let emulator: Emulator;
  let openapi: OpenApi;
  beforeAll(async () => {
    emulator = await createEmulator({ faultRoutes: true });
    openapi = (await seen(`${emulator.url}/openapi.json`)).json as OpenApi;
  });
  afterAll(() => emulator.close());

  function fieldsOf(body: Content | undefined, type: string): Fields | null {
    const schema = body?.content?.[type]?.schema;
    return schema === undefined ? null : fieldsOfSchema(schema);
  }

  function fieldsOfSchema(schema: Schema): Fields | null {
    if (schema.items !== undefined) return fieldsOfSchema(schema.items);
    const name = schema.$ref?.split('/').at(-1);
    const { properties } = name === undefined ? schema : openapi.components.schemas[name]!;
    if (properties === undefined) return null;
    return Object.fromEntries(Object.entries(properties).map(([field, { type }]) => [field, type ?? '']));
  }

  it('have the same ten operations', () => {
    const served = Object.entries(openapi.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented).toHaveLength(10);
    expect(served.sort()).toEqual(documented.map(({ method, path }) => `${method} ${path}`).sort());
  });

  it.each(documented)('agree on $method $path', ({ method, path, summary, request, responses }) => {
    const operation = openapi.paths[path]![method.toLowerCase()]!;
    expect(operation.summary).toBe(summary);
    expect(fieldsOf(operation.requestBody, 'application/json')).toEqual(request);

    const error = fieldsOf(operation.responses['default'], 'application/problem+json');
    const [success, status] = Object.entries(operation.responses)
      .filter(([code]) => code !== 'default')
      .map(([code, content]) => [fieldsOf(content, 'application/json'), code] as const)[0]!;
    const isProblem = (fields: Fields): boolean => 'title' in fields;
    for (const fields of responses.filter(isProblem)) expect(error).toEqual(fields);
    const shown = responses.filter((fields) => !isProblem(fields));
    for (const fields of shown) expect(success).toEqual(fields);
    // lists have no example in the documentation, PUT and DELETE none but the error's
    expect(shown).toHaveLength(method === 'POST' || (method === 'GET' && path.endsWith('}')) ? 1 : 0);
    expect(status).toBe(method === 'GET' ? '200' : method === 'POST' ? '201' : '204');
  });

  it('hide the routes that only the emulator has', () => {
    expect(Object.keys(openapi.paths).filter((path) => !path.startsWith('/ClientCredential'))).toEqual([]);
  });
});
