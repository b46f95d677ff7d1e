import swagger from '@fastify/swagger';
import type { FastifySchema, RouteOptions } from 'fastify';
import { z } from 'zod';
import type { App } from './context.ts';
import { credentialSchema, pauseSchema, problems, rotationSchema, statusSchema } from './output.ts';
import { problemSchema } from './problem.ts';

/** What has a name of its own in the document, so that clients made from it have one type for each. */
const NAMED = {
  Problem: problemSchema,
  Credential: credentialSchema,
  Rotation: rotationSchema,
  Status: statusSchema,
  Pause: pauseSchema,
} as const;

type Json = Record<string, unknown>;

/**
 * Describes the routes that are added after it, at `GET /openapi.json`. The document is made of the same schemas that
 * check requests and write answers. It is the same for every installation of a version, and needs no token.
 */
export function describeRoutes(app: App, add: () => void): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'rekeyd',
        // of the interface, as in its paths; who is not known is not told which release runs here
        version: '1',
        description: 'Rotates client secrets and delivers them to vaults.',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
    transform: ({ schema, url, route }) => ({ url, schema: describe(schema as FastifySchema | undefined, route) }),
    transformObject: (document) => ('openapiObject' in document ? withNames(document.openapiObject) : {}),
  });
  // behind the plugin, so that it hears of each
  app.after(add);
}

/** `GET /openapi.json`. Needs {@link describeRoutes} around it. */
export function addOpenApiRoute(app: App): void {
  const schema = {
    operationId: 'getOpenApi',
    summary: 'This document',
    response: { 200: z.record(z.string(), z.unknown()), ...problems },
  };
  app.get('/openapi.json', { config: { access: 'public' }, schema }, () => app.swagger() as unknown as Json);
}

/** One route in JSON Schema. */
function describe(schema: FastifySchema | undefined, { config }: RouteOptions): FastifySchema {
  if (schema === undefined || schema.hide === true) return { hide: true };
  const { body, params, querystring, headers, response, produces = ['application/json'], ...rest } = schema;
  const input = { body, params, querystring, headers };
  return {
    ...rest,
    security: config?.access === 'public' ? [] : [{ bearer: [] }],
    ...Object.fromEntries(
      Object.entries(input)
        .filter(([, each]) => each !== undefined)
        .map(([part, each]) => [part, jsonSchema(each, 'input')]),
    ),
    response: Object.fromEntries(
      Object.entries((response ?? {}) as Json).map(([status, each]) => [status, answer(each, status, produces)]),
    ),
  };
}

function answer(schema: unknown, status: string, produces: readonly string[]): Json {
  const types = schema === problemSchema ? ['application/problem+json'] : produces;
  const described = jsonSchema(schema, 'output');
  return {
    description: schema === problemSchema ? 'A problem' : status.startsWith('2') ? 'Done' : 'Not now',
    content: Object.fromEntries(types.map((type) => [type, { schema: described }])),
  };
}

function jsonSchema(schema: unknown, io: 'input' | 'output'): Json {
  const made = z.toJSONSchema(schema as z.ZodType, {
    io,
    override: ({ jsonSchema: part }) => {
      if (part.type === 'integer') asNumber(part);
      // a later version may answer with more: who reads it is not to be stopped by that
      if (io === 'output' && part.additionalProperties === false) delete part.additionalProperties;
    },
  });
  // the dialect is that of OpenAPI 3.1 anyway
  delete made.$schema;
  return made;
}

/** A number in a query is checked as the text that it comes as: who makes a client is told of the number. */
function asNumber(part: { pattern?: string; default?: unknown }): void {
  delete part.pattern;
  if (typeof part.default === 'string') part.default = Number(part.default);
}

/** Puts a reference wherever a named schema stands, and says of bodies that may be left out that they may. */
function withNames(document: object): Json {
  const schemas = Object.entries(NAMED).map(([name, schema]) => [name, jsonSchema(schema, 'output')] as const);
  const names = new Map(schemas.map(([name, schema]) => [JSON.stringify(schema), name]));
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    const name = names.get(JSON.stringify(value));
    if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
    if ('requestBody' in value) return { ...all(value), requestBody: walk(bodyOf(value.requestBody as Body)) };
    return all(value);
  };
  const all = (value: object): Json =>
    Object.fromEntries(Object.entries(value).map(([key, each]) => [key, walk(each)]));
  const { components, ...rest } = walk(document) as Json;
  return { ...rest, components: { ...(components as Json), schemas: Object.fromEntries(schemas) } };
}

interface Body {
  readonly content: { readonly 'application/json': { readonly schema: { readonly anyOf?: readonly Json[] } } };
}

/** A body that may be null for the check of input, which is how Fastify says none, may be left out for a caller. */
function bodyOf({ content }: Body): Json {
  const { schema } = content['application/json'];
  const [only, ...others] = (schema.anyOf ?? []).filter(({ type }) => type !== 'null');
  if (only === undefined || others.length > 0) return { required: true, content };
  return { required: false, content: { 'application/json': { schema: only } } };
}
