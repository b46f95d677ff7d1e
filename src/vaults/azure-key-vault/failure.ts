import { VaultError } from '../../domain/errors.ts';
import type { VaultFault } from '../../domain/errors.ts';
import { IdentityFailure } from './identity.ts';

/** What a call does, and what it needs: a data action of Azure RBAC, or a permission of an access policy. */
export interface Operation {
  readonly doing: string;
  readonly action: string;
  readonly policy: string;
}

export const OPERATIONS = {
  get: { doing: 'reading the secret', action: 'getSecret/action', policy: 'Get' },
  getDeleted: { doing: 'looking for a soft-deleted secret', action: 'readMetadata/action', policy: 'Get' },
  list: { doing: "listing the secret's versions", action: 'readMetadata/action', policy: 'List' },
  set: { doing: 'writing the secret', action: 'setSecret/action', policy: 'Set' },
  update: { doing: "changing a version's attributes", action: 'update/action', policy: 'Set' },
  recover: { doing: 'recovering the soft-deleted secret', action: 'recover/action', policy: 'Recover' },
} as const satisfies Record<string, Operation>;

/** What became of a call that did not succeed. */
export type FailureKind =
  | 'absent'
  /** The version that was asked for is disabled. */
  | 'disabled'
  | 'soft-deleted'
  /** A deletion or recovery is under way. */
  | 'busy'
  | 'conflict'
  | 'right'
  /** The token is not taken: 401. */
  | 'identity'
  | 'firewall'
  | 'token'
  | 'throttled'
  | 'rejected'
  | 'redirect'
  | 'malformed'
  | 'unavailable'
  | 'wrong-resource';

export interface Failure {
  readonly kind: FailureKind;
  /** Status and codes; words of ours, or of closed lists. */
  readonly detail: string;
  /** Of a failure to get a token. */
  readonly identity?: IdentityFailure;
}

/** What is kept of the last answer to a call. */
export interface Answer {
  status: number | null;
  requestId: string | null;
}

/** The inner codes that say more than the status: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes. */
const INNER: Readonly<Record<string, FailureKind>> = {
  SecretDisabled: 'disabled',
  ObjectIsDeletedButRecoverable: 'soft-deleted',
  ObjectIsBeingDeleted: 'busy',
  ObjectIsBeingRecovered: 'busy',
  ForbiddenByFirewall: 'firewall',
  ForbiddenByConnection: 'firewall',
  ForbiddenByRbac: 'right',
  AccessDenied: 'right',
};

/**
 * Reads of what the SDK threw only what cannot hold a value: the status of the answer, codes of a closed list, the
 * operating system's code. Its errors carry the request with its body, and answers may quote what was sent.
 */
export function failureOf(error: unknown, answer: Answer): Failure {
  if (error instanceof IdentityFailure) return { kind: 'token', detail: error.detail, identity: error };
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  if (message.startsWith('The challenge')) return { kind: 'wrong-resource', detail: '' };
  // An error without a status is of the connection, even where an earlier page was answered.
  const unsent = name === 'RestError' && property(error, 'statusCode') === undefined;
  if (answer.status !== null && !unsent) return fromStatus(answer.status, error, answer.requestId);
  const code = property(error, 'code');
  return { kind: 'unavailable', detail: typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,50}$/.test(code) ? code : '' };
}

/** @param place the vault's name and address, and the entry. */
export function vaultError(
  failure: Failure,
  operation: Operation,
  { vault, url, entry }: { readonly vault: string; readonly url: string; readonly entry: string },
): VaultError {
  const brackets = failure.detail === '' ? '' : ` (${failure.detail})`;
  const what = advice(failure, operation, url);
  const end = what.endsWith('?') ? '' : '.';
  const message = `Vault '${vault}', entry '${entry}': ${operation.doing} failed${brackets}: ${what}${end}`;
  return new VaultError(faultOf(failure), message, { vault, entry });
}

/** What it means and what to do about it, for a person; without a full stop. */
export function advice({ kind, identity, detail }: Failure, operation: Operation, url: string): string {
  switch (kind) {
    case 'right':
      return `grant rekeyd's identity the data action Microsoft.KeyVault/vaults/secrets/${operation.action} (role 'Key Vault Secrets Officer') or, in an access policy, '${operation.policy}', on ${url}`;
    case 'identity':
      return `Key Vault does not take the token: is rekeyd's identity in the tenant of ${url}?`;
    case 'firewall':
      return `the vault's firewall does not let this machine in: allow its address, or use a private endpoint`;
    case 'token':
      return identity?.fault === 'denied'
        ? `Microsoft Entra ID refuses rekeyd's identity: check the vault's auth and the AZURE_ variables`
        : `no token could be had for rekeyd's identity: is there an identity here, and can its endpoint be reached?`;
    case 'wrong-resource':
      return `${url} asks for a token of something that it is not a part of, and gets none: is url right?`;
    case 'redirect':
      return 'it answers with a redirect, which is not followed with credentials: is url right?';
    case 'unavailable':
      return /CERT|SELF_SIGNED|UNABLE_TO/.test(detail)
        ? `the certificate of ${url} is not trusted: name the file of your CA in ca`
        : `${url} ${/^\d/.test(detail) ? 'did not answer as it should' : 'cannot be reached'}`;
    case 'throttled':
      return 'Key Vault asks to be called less often: lower requestsPerSecond';
    case 'malformed':
      return 'the answer cannot be read: is url right?';
    case 'rejected':
      return 'Key Vault refuses the request';
    case 'absent':
    case 'conflict':
      return 'it was changed by somebody else at the same time';
    case 'soft-deleted':
      return 'the name belongs to a soft-deleted secret';
    case 'busy':
      return 'the secret is still being deleted or recovered';
    case 'disabled':
      return 'the version is disabled';
  }
}

function faultOf({ kind, identity }: Failure): VaultFault {
  switch (kind) {
    case 'right':
    case 'identity':
    case 'firewall':
    case 'wrong-resource':
      return 'denied';
    case 'token':
      return identity?.fault ?? 'denied';
    case 'throttled':
    case 'rejected':
    case 'malformed':
    case 'unavailable':
    case 'conflict':
      return kind;
    case 'redirect':
      return 'malformed';
    case 'absent':
      return 'conflict';
    case 'busy':
      return 'unavailable';
    case 'soft-deleted':
    case 'disabled':
      return 'locked';
  }
}

function fromStatus(status: number, error: unknown, requestId: string | null): Failure {
  const inner = innerCode(error);
  const id = requestId === null ? '' : `, request ${requestId}`;
  const detail = `${status}${inner === null ? '' : ` ${inner}`}${id}`;
  if (inner !== null && INNER[inner] !== undefined) return { kind: INNER[inner], detail };
  // Absent is only what Key Vault says: a proxy's page that says 404 is not of it.
  if (status === 404 && typeof outerCode(error) !== 'string') return { kind: 'malformed', detail };
  return { kind: kindOfStatus(status), detail };
}

function kindOfStatus(status: number): FailureKind {
  if (status < 300) return 'malformed';
  if (status < 400) return 'redirect';
  if (status >= 500 || status === 408) return 'unavailable';
  const kinds: Readonly<Record<number, FailureKind>> = {
    401: 'identity',
    403: 'right',
    404: 'absent',
    409: 'conflict',
    412: 'conflict',
    429: 'throttled',
  };
  return kinds[status] ?? 'rejected';
}

/** The code that Key Vault puts inside its error, where it is one that we know. */
function innerCode(error: unknown): string | null {
  const outer = property(property(error, 'details'), 'error');
  for (const inner of [property(outer, 'innerError'), property(outer, 'innererror')]) {
    const code = property(inner, 'code');
    if (typeof code === 'string' && Object.hasOwn(INNER, code)) return code;
  }
  return null;
}

function outerCode(error: unknown): unknown {
  return property(property(property(error, 'details'), 'error'), 'code');
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
