import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { allRoutes } from './all-routes.ts';
import { OPERATOR, serve } from './fake-daemon.ts';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: object;
  }[];
  readonly requestBody?: { readonly required: boolean };
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { schema: object }>> }>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

async function fetchDocument(): Promise<Document> {
  await using http = await serve();
  const response = await http.ask('/openapi.json', {}, null);
  expect(response.status).toBe(200);
  return (await response.json()) as Document;
}

const document = await fetchDocument();
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

/** For each call that needs a body, by the last part of its path: one that will do. */
const BODIES: Readonly<Record<string, object>> = {
  forget: { vault: 'v', entry: 'e' },
  preview: { match: '*' },
  bulk: { match: '*', confirm: '0'.repeat(64) },
  'log-level': { level: 'debug' },
};

const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: 'rekeyd', ...document });

/** A check of answers by the schema at this place of the document. */
function checker(pointer: readonly string[]) {
  const at = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
  return ajv.compile({ $ref: `rekeyd#/${at.join('/')}` });
}

describe('GET /openapi.json', () => {
  it('is OpenAPI 3.1 and lists every route with its access, and no other', () => {
    expect(document.openapi).toBe('3.1.0');
    const listed = operations.map(({ path, method, operation }) => [
      `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
      operation.security?.length === 0,
    ]);
    const actual = allRoutes().map(({ name, access }) => [name, access === 'public']);
    expect(listed.map(String).sort()).toEqual(actual.map(String).sort());
  });

  it('names every operation once, and says in a line what it does', () => {
    const nameless = operations.filter(({ operation }) => operation.operationId === undefined);
    expect(nameless, 'the schema of each route has an `operationId`').toEqual([]);
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    expect(
      operations.filter(({ operation }) => (operation.summary ?? '') === ''),
      '… and a `summary`',
    ).toEqual([]);
  });

  it('declares what stands in a path', () => {
    for (const { path, operation } of operations) {
      const declared = (operation.parameters ?? []).filter((each) => each.in === 'path');
      expect(declared.map(({ name }) => name)).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      expect(declared.every(({ required }) => required === true)).toBe(true);
    }
  });

  it('says which bodies may be left out', () => {
    const bodies = operations.flatMap(({ path, operation: { requestBody } }) =>
      requestBody === undefined ? [] : [[path.split('/').at(-1), requestBody.required] as const],
    );
    expect(new Set(bodies.filter(([, required]) => required).map(([name]) => name))).toEqual(
      new Set(Object.keys(BODIES)),
    );
    expect(bodies.length).toBeGreaterThan(5);
  });

  it('has sound schemas, all of whose references lead somewhere', () => {
    for (const { path, method, operation } of operations) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        for (const type of Object.keys(content)) {
          expect(() => checker(['paths', path, method, 'responses', status, 'content', type, 'schema'])).not.toThrow();
        }
      }
    }
  });

  it('says of a number in a query that it is one, with its bounds', () => {
    const limits = ['/v1/credentials', '/v1/rotations', '/v1/forecast'].map((path) => {
      const parameters = document.paths[path]?.['get']?.parameters ?? [];
      return parameters.flatMap(({ name, schema }) => (name === 'limit' || name === 'days' ? [schema] : []));
    });
    const page = { type: 'integer', minimum: 1, maximum: 1000, default: 100 };
    const forecast = [
      { ...page, maximum: 400, default: 30 },
      { ...page, maximum: 10_000, default: 1000 },
    ];
    expect(limits).toEqual([[page], [page], forecast]);
  });

  it('holds for what is answered', async () => {
    await using http = await serve();
    const names: Readonly<Record<string, string>> = { issuer: 'data8', clientId: 'client-1', id: 'x', bulkId: 'x' };
    for (const { path, method, operation } of operations) {
      if (path === '/v1/events') continue; // it does not end
      const url = path.replace(/\{(\w+)\}/g, (_, name: string) => names[name] ?? '');
      const needed = BODIES[path.split('/').at(-1) ?? ''];
      const body = operation.requestBody?.required === true ? { body: JSON.stringify(needed) } : {};
      const headers = { 'content-type': 'application/json' };
      const ask = async (token: string | null) => {
        const response = await http.ask(url, { method: method.toUpperCase(), headers, ...body }, token);
        const status = String(response.status);
        const key = status in operation.responses ? status : `${status.charAt(0)}XX`;
        const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
        const text = await response.text();
        const check = checker(['paths', path, method, 'responses', key, 'content', type, 'schema']);
        expect([url, check(type.endsWith('json') ? JSON.parse(text) : text), check.errors]).toEqual([url, true, null]);
        return response.status;
      };
      expect(await ask(OPERATOR)).toBeLessThan(300);
      if (operation.security?.length !== 0) expect(await ask(null)).toBe(401);
    }
  });
});
