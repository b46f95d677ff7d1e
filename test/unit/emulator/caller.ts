import { createEmulator } from '../../../src/emulator/emulator.ts';
import type { Emulator, EmulatorSettings } from '../../../src/emulator/emulator.ts';

/** An answer as a caller sees it. */
export interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed; undefined where it is no JSON. */
  readonly json: unknown;
}

/** A caller of the API with its own token. */
export interface Caller {
  readonly emulator: Emulator;
  get(path: string): Promise<Seen>;
  post(path: string, body?: unknown): Promise<Seen>;
  put(path: string, body?: unknown): Promise<Seen>;
  delete(path: string): Promise<Seen>;
}

/** Starts an emulator and gets a token as its bootstrap client. */
export async function start(settings: EmulatorSettings = {}): Promise<Caller> {
  const { faults, ...rest } = settings;
  const emulator = await createEmulator(rest);
  const { access_token } = (await token(emulator)).json as { access_token: string };
  if (faults !== undefined) emulator.faults.set(faults);
  return callerWith(emulator, access_token);
}

export function callerWith(emulator: Emulator, accessToken: string | null): Caller {
  const call = (method: string, path: string, body?: unknown): Promise<Seen> =>
    seen(emulator.url + path, {
      method,
      headers: {
        ...(accessToken === null ? {} : { authorization: `Bearer ${accessToken}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return {
    emulator,
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    put: (path, body) => call('PUT', path, body),
    delete: (path) => call('DELETE', path),
  };
}

/** Asks the token endpoint with client_secret_post, as the bootstrap client unless `form` says otherwise. */
export function token(
  emulator: Emulator,
  form: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Seen> {
  const { clientId, clientSecret } = emulator.bootstrap;
  const client =
    headers['authorization'] === undefined ? { client_id: clientId, client_secret: clientSecret ?? '' } : {};
  return seen(emulator.tokenUrl, {
    method: 'POST',
    headers,
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'BatchApi', ...client, ...form }),
  });
}

export async function seen(url: string, init: RequestInit = {}): Promise<Seen> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The system's code of a fetch that failed (`ECONNRESET`); throws where it did not fail. */
export async function failure(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return ((error as Error).cause as { code?: unknown } | undefined)?.code ?? (error as Error).name;
  }
  throw new Error('the call did not fail');
}

/** A credential with one secret. */
export async function credentialWithSecret(
  caller: Caller,
  secret: { readonly description?: string; readonly expires?: string | null } = {},
): Promise<{ readonly id: string; readonly secretId: number; readonly value: string }> {
  const { clientId } = (await caller.post('/ClientCredential', { description: 'billing (prod)' })).json as {
    clientId: string;
  };
  const created = await caller.post(`/ClientCredential/${clientId}/secrets`, secret);
  const { clientSecretId, generatedSecret } = created.json as { clientSecretId: number; generatedSecret: string };
  return { id: clientId, secretId: clientSecretId, value: generatedSecret };
}
