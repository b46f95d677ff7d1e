import type { HTTPMethods } from 'fastify';
import { secretView, secretViews } from './account.ts';
import type { Account, SecretInput } from './account.ts';
import type { FaultKind, Operation } from './faults.ts';
import { Problem } from './problem.ts';
import { CREDENTIAL_PARAMS, ref, SECRET_PARAMS } from './schemas.ts';
import type { Answer } from './answers.ts';
import { parseTimestamp } from './timestamp.ts';
import type { Timestamp } from './timestamp.ts';

/** A request after validation against the schema of its operation. */
export interface Call {
  readonly id: string;
  readonly secretId: number;
  readonly body: unknown;
  /** The fault that changes what is done: `ignore`, `replace` or `no-value`; others do not reach an operation. */
  readonly quirk: FaultKind | null;
}

export interface ApiOperation {
  readonly operation: Operation;
  readonly method: HTTPMethods;
  /** As Fastify writes it. */
  readonly path: string;
  readonly summary: string;
  readonly schema: { readonly params?: object; readonly body?: object; readonly success: object | null };
  /** @throws Problem */
  readonly run: (account: Account, call: Call) => Answer;
}

const NO_CONTENT: Answer = { status: 204, body: null };

/** The ten operations of the vendor's documentation, in its order. */
export const API_OPERATIONS: readonly ApiOperation[] = [
  {
    operation: 'listCredentials',
    method: 'GET',
    path: '/ClientCredential',
    summary: 'Retrieves the existing list of client credentials available for this user',
    schema: { success: { type: 'array', items: ref('ClientCredential') } },
    run: (account) => ({ status: 200, body: account.listJson() }),
  },
  {
    operation: 'createCredential',
    method: 'POST',
    path: '/ClientCredential',
    summary: 'Creates a new client credential',
    schema: { body: ref('ClientCredential'), success: ref('ClientCredential') },
    run: (account, { body }) => {
      const credential = account.createCredential(credentialDescription(body) ?? null);
      return {
        status: 201,
        body: { clientId: credential.clientId, description: credential.description, secrets: [] },
      };
    },
  },
  {
    operation: 'getCredential',
    method: 'GET',
    path: '/ClientCredential/:id',
    summary: 'Gets the details of a client credential',
    schema: { params: CREDENTIAL_PARAMS, success: ref('ClientCredential') },
    run: (account, { id }) => {
      const credential = account.credential(id);
      const { clientId, description } = credential;
      return { status: 200, body: { clientId, description, secrets: secretViews(credential) } };
    },
  },
  {
    operation: 'updateCredential',
    method: 'PUT',
    path: '/ClientCredential/:id',
    summary: 'Updates the details of a client credential',
    schema: { params: CREDENTIAL_PARAMS, body: ref('ClientCredential'), success: null },
    run: (account, { id, body, quirk }) => {
      const { description } = account.credential(id);
      const given = credentialDescription(body);
      if (quirk === 'ignore') return NO_CONTENT;
      account.updateCredential(id, given === undefined && quirk !== 'replace' ? description : (given ?? null));
      return NO_CONTENT;
    },
  },
  {
    operation: 'deleteCredential',
    method: 'DELETE',
    path: '/ClientCredential/:id',
    summary: 'Deletes a client credential',
    schema: { params: CREDENTIAL_PARAMS, success: null },
    run: (account, { id, quirk }) => {
      if (quirk !== 'ignore') account.deleteCredential(id);
      return NO_CONTENT;
    },
  },
  {
    operation: 'listSecrets',
    method: 'GET',
    path: '/ClientCredential/:id/secrets',
    summary: 'Gets the list of client secrets associated with a client credential',
    schema: { params: CREDENTIAL_PARAMS, success: { type: 'array', items: ref('ClientSecret') } },
    run: (account, { id }) => ({ status: 200, body: account.listSecrets(id) }),
  },
  {
    operation: 'createSecret',
    method: 'POST',
    path: '/ClientCredential/:id/secrets',
    summary: 'Creates a new client secret for a client credential',
    schema: { params: CREDENTIAL_PARAMS, body: ref('ClientSecret'), success: ref('CreatedClientSecret') },
    run: (account, { id, body, quirk }) => {
      const { secret, value } = account.createSecret(id, secretInput(body));
      const view = secretView(secret);
      return { status: 201, body: quirk === 'no-value' ? view : { ...view, generatedSecret: value } };
    },
  },
  {
    operation: 'getSecret',
    method: 'GET',
    path: '/ClientCredential/:id/secrets/:secretId',
    summary: 'Gets the details of a client secret',
    schema: { params: SECRET_PARAMS, success: ref('ClientSecret') },
    run: (account, { id, secretId }) => ({ status: 200, body: secretView(account.secret(id, secretId)) }),
  },
  {
    operation: 'updateSecret',
    method: 'PUT',
    path: '/ClientCredential/:id/secrets/:secretId',
    summary: 'Updates the details of a client secret',
    schema: { params: SECRET_PARAMS, body: ref('ClientSecret'), success: null },
    run: (account, { id, secretId, body, quirk }) => {
      const input = secretInput(body);
      if (quirk === 'ignore') account.secret(id, secretId);
      else account.updateSecret(id, secretId, input, quirk === 'replace');
      return NO_CONTENT;
    },
  },
  {
    operation: 'deleteSecret',
    method: 'DELETE',
    path: '/ClientCredential/:id/secrets/:secretId',
    summary: 'Deletes a client secret',
    schema: { params: SECRET_PARAMS, success: null },
    run: (account, { id, secretId, quirk }) => {
      if (quirk === 'ignore') account.secret(id, secretId);
      else account.deleteSecret(id, secretId);
      return NO_CONTENT;
    },
  },
];

function credentialDescription(body: unknown): string | null | undefined {
  return (body as { description?: string | null }).description;
}

function secretInput(body: unknown): SecretInput {
  const { description, expires } = body as { description?: string | null; expires?: string | null };
  return { description, expires: typeof expires === 'string' ? timestampOf(expires) : expires };
}

function timestampOf(text: string): Timestamp {
  const timestamp = parseTimestamp(text);
  if (timestamp !== null) return timestamp;
  throw new Problem(400, 'The request is invalid.', {
    '$.expires': ['The JSON value could not be converted to System.Nullable`1[System.DateTime].'],
  });
}
