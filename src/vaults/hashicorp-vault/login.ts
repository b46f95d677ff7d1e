import { readFile } from 'node:fs/promises';
import { safeMessage } from '../../domain/errors.ts';
import { SecretValue } from '../../domain/secret-value.ts';
import type { Failures } from './failure.ts';
import type { AuthOptions } from './options.ts';

/** A call that logs in. */
export interface LoginCall {
  readonly path: string;
  readonly body: Readonly<Record<string, string | SecretValue>>;
}

/** How a token is come by: given, or got by a login. Files are read afresh each time. @throws VaultError `unavailable`. */
export type Credential =
  { readonly kind: 'token'; readonly token: SecretValue } | { readonly kind: 'login'; readonly call: LoginCall };

/**
 * What to log in with now. Source: HTTP API, `auth/approle`, `auth/kubernetes`, `auth/jwt`.
 * @throws VaultError `unavailable` where a file cannot be read, or holds nothing that can be a token.
 */
export async function credentialOf(auth: AuthOptions, failures: Failures): Promise<Credential> {
  const fromFile = (path: string): Promise<SecretValue> => readSecretFile(path, failures);
  switch (auth.method) {
    case 'token':
      return { kind: 'token', token: auth.token ?? (await fromFile(auth.file ?? '')) };
    case 'approle': {
      const { secretId, secretIdFile } = auth;
      const given = secretId ?? (secretIdFile === undefined ? null : await fromFile(secretIdFile));
      const secret = given === null ? {} : { secret_id: given };
      return loginBy(auth, { role_id: auth.roleId, ...secret });
    }
    case 'kubernetes':
    case 'jwt':
      return loginBy(auth, { role: auth.role, jwt: await fromFile(auth.tokenFile) });
  }
}

/** What a person looks at when a login by this method is refused. */
export function loginAdvice(auth: AuthOptions): string {
  switch (auth.method) {
    case 'token':
      return 'the token has ended, was revoked, or may not look up itself: put a fresh one in its place';
    case 'approle':
      return 'look at roleId, at the secret id (it may have ended, or be used up) and at what the role is bound to';
    case 'kubernetes':
      return "look at role, and at the role's bound service accounts, namespaces and audience";
    case 'jwt':
      return "look at role, at the JWT's end, and at the role's bound audiences and claims";
  }
}

function loginBy(
  { mount }: Exclude<AuthOptions, { method: 'token' }>,
  body: LoginCall['body'],
): Extract<Credential, { kind: 'login' }> {
  return { kind: 'login', call: { path: `/v1/auth/${mount}/login`, body } };
}

async function readSecretFile(path: string, failures: Failures): Promise<SecretValue> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw failures.make('unavailable', null, `'${path}' cannot be read: ${safeMessage(error)}`);
  }
  // It goes into a header or a login: a line feed in it is the sign of a wrong file.
  if (!/^[\x21-\x7e]+$/.test(text)) throw failures.make('unavailable', null, `'${path}' holds no token`);
  return SecretValue.of(text);
}
