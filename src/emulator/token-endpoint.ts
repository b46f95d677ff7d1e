import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isAccepted } from './acceptance.ts';
import { sha256 } from './account.ts';
import type { Account } from './account.ts';
import type { Bearer } from './bearer.ts';
import type { Faults } from './faults.ts';
import type { Answer } from './answers.ts';
import type { Stage } from './stage.ts';

const SCOPE = 'BatchApi';

export interface TokenSettings {
  /** Life of a token in seconds. */
  readonly lifetime: number;
  readonly now: () => number;
  readonly faults: Faults;
}

interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * Registers `/connect/token` and the discovery document, as Duende IdentityServer has them: every error is a 400 with
 * `{error}`, and the client is authenticated before anything else is looked at.
 */
export async function registerTokenEndpoint(
  app: FastifyInstance,
  stage: Stage,
  account: Account,
  bearer: Bearer,
  settings: TokenSettings,
): Promise<void> {
  await app.register((scope, _options, registered) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser<string>(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, body, done) => done(null, new URLSearchParams(body)),
    );
    scope.addContentTypeParser<string>('*', { parseAs: 'string' }, (_request, _body, done) => done(null, null));

    scope.addHook('onRequest', (_request, reply, done) => {
      reply.header('cache-control', 'no-store, no-cache, max-age=0');
      done();
    });
    stage.add(scope, {
      operation: 'token',
      method: 'POST',
      path: '/connect/token',
      schema: { hide: true },
      perform: (request) => token(request, account, bearer, settings),
    });
    stage.add(scope, {
      operation: 'discovery',
      method: 'GET',
      path: '/.well-known/openid-configuration',
      schema: { hide: true },
      perform: ({ protocol, host }) => ({ status: 200, body: discovery(`${protocol}://${host}`) }),
    });
    registered();
  });
}

function token(request: FastifyRequest, account: Account, bearer: Bearer, settings: TokenSettings): Answer {
  const form = request.body;
  if (!(form instanceof URLSearchParams)) return refusal('invalid_request');
  const now = settings.now();
  const client = basicClient(request.headers.authorization) ?? formClient(form);
  if (client === null || !isAccepted(account, settings.faults, client.clientId, sha256(client.clientSecret), now)) {
    return refusal('invalid_client');
  }
  const grant = form.get('grant_type');
  if (grant === null || grant === '') return refusal('invalid_request');
  if (grant !== 'client_credentials') return refusal('unsupported_grant_type');
  const scopes = (form.get('scope') ?? SCOPE).split(' ').filter((scope) => scope !== '');
  if (scopes.some((scope) => scope !== SCOPE)) return refusal('invalid_scope');
  return {
    status: 200,
    body: {
      access_token: bearer.issue(client.clientId, SCOPE, settings.lifetime, now),
      expires_in: settings.lifetime,
      token_type: 'Bearer',
      scope: SCOPE,
    },
  };
}

function refusal(error: string): Answer {
  return { status: 400, body: { error } };
}

function formClient(form: URLSearchParams): Client | null {
  const clientId = form.get('client_id') ?? '';
  const clientSecret = form.get('client_secret') ?? '';
  return clientId === '' || clientSecret === '' ? null : { clientId, clientSecret };
}

/** RFC 6749, 2.3.1: both parts are form-urlencoded before they are joined. Null: there is no such header, or a broken one. */
function basicClient(header: string | undefined): Client | null {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return null;
  const joined = Buffer.from(encoded, 'base64').toString();
  const colon = joined.indexOf(':');
  if (colon < 1) return null;
  const [clientId, clientSecret] = [formDecoded(joined.slice(0, colon)), formDecoded(joined.slice(colon + 1))];
  return clientId === null || clientSecret === null ? null : { clientId, clientSecret };
}

function formDecoded(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null; // a lone % sign
  }
}

function discovery(issuer: string): object {
  return {
    issuer,
    token_endpoint: `${issuer}/connect/token`,
    scopes_supported: [SCOPE],
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    response_types_supported: [],
  };
}
