import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Account } from './account.ts';
import type { Bearer } from './bearer.ts';
import { API_OPERATIONS } from './operations.ts';
import { Problem } from './problem.ts';
import { ref, SCHEMAS } from './schemas.ts';
import type { Stage } from './stage.ts';

export interface ApiSettings {
  readonly anyClientAdministers: boolean;
  readonly now: () => number;
  /** Called after a change, before it is answered. */
  readonly changed: () => Promise<void>;
}

/** Registers the ten operations, and `GET /openapi.json`, which is made of their schemas. */
export async function registerApi(
  app: FastifyInstance,
  stage: Stage,
  account: Account,
  bearer: Bearer,
  settings: ApiSettings,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.0.3',
      info: {
        title: 'Data8 Administration API, client credentials (emulated)',
        description: 'What rekeyd uses of the API, made from the route schemas of the emulator.',
        version: '1',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => nameOf(json, index) },
  });
  for (const schema of SCHEMAS) app.addSchema(schema);

  await app.register((scope, _options, registered) => {
    for (const { operation, method, path, summary, schema, run } of API_OPERATIONS) {
      stage.add(scope, {
        operation,
        method,
        path,
        schema: {
          operationId: operation,
          summary,
          tags: ['ClientCredential'],
          ...(schema.params === undefined ? {} : { params: schema.params }),
          ...(schema.body === undefined ? {} : { body: schema.body }),
          response: {
            ...successOf(method, schema.success),
            default: {
              description: 'Error',
              content: { 'application/problem+json': { schema: ref('ProblemDetails') } },
            },
          },
        },
        admit: (request) => admit(request, account, bearer, settings),
        perform: async (request, quirk) => {
          const { id = '', secretId = '' } = request.params as { id?: string; secretId?: string };
          const answer = run(account, { id, secretId: Number(secretId), body: request.body, quirk });
          if (method !== 'GET') await settings.changed();
          return answer;
        },
      });
    }
    scope.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
    registered();
  });
}

function admit(request: FastifyRequest, account: Account, bearer: Bearer, settings: ApiSettings): void {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const claims = token === undefined ? null : bearer.read(token, settings.now());
  if (claims === null) throw new Problem(401, 'A valid access token is required.');
  if (!settings.anyClientAdministers && account.find(claims.client_id)?.administrator !== true) {
    throw new Problem(403, 'This client has no right to administer client credentials.');
  }
}

function successOf(method: unknown, success: object | null): Record<number, object> {
  if (success === null) return { 204: { description: 'Done', type: 'null' } };
  return { [method === 'POST' ? 201 : 200]: { description: 'Success', ...success } };
}

function nameOf(json: { readonly $id?: unknown }, index: number): string {
  return typeof json.$id === 'string' ? json.$id : `schema-${index}`;
}
