import { VaultError } from '../../domain/errors.ts';
import type { VaultFault } from '../../domain/errors.ts';

/** One call to Secrets Manager, for the errors that it may end in. */
export interface AwsCall {
  readonly vault: string;
  readonly entry: string;
  /** The API's name of the operation, which is the IAM action too: `DescribeSecret`. */
  readonly action: string;
  readonly region: string;
}

interface Meaning {
  readonly fault: VaultFault;
  readonly why: string;
}

const BAD_CREDENTIALS = 'AWS does not take the credentials: are they valid, and is the region enabled for the account';
const EXPIRED =
  "the AWS credentials have expired, and nothing has renewed them: see docs/vaults/aws-secrets-manager.md, 'Authentication'";
const SKEWED = "AWS refused the signature's time: set the clock of this machine";
const THROTTLED = 'AWS throttles the account';
const NO_CREDENTIALS = "no AWS credentials were found by AWS's default chain (environment, shared configuration, role)";
const KMS_STATE = 'the KMS key cannot be used: is it there, enabled and in the same region';
const SHAPE = 'AWS refused the request as not valid';

/**
 * What the service's error types mean. Types only: a message may quote what was sent.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html and the pages of the operations.
 */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  UnrecognizedClientException: { fault: 'denied', why: BAD_CREDENTIALS },
  InvalidClientTokenId: { fault: 'denied', why: BAD_CREDENTIALS },
  InvalidSignatureException: { fault: 'denied', why: `${BAD_CREDENTIALS}; is it the endpoint's own` },
  SignatureDoesNotMatch: { fault: 'denied', why: BAD_CREDENTIALS },
  IncompleteSignature: { fault: 'denied', why: BAD_CREDENTIALS },
  MissingAuthenticationToken: { fault: 'denied', why: BAD_CREDENTIALS },
  ExpiredToken: { fault: 'denied', why: EXPIRED },
  ExpiredTokenException: { fault: 'denied', why: EXPIRED },
  OptInRequired: { fault: 'denied', why: 'the account or its region is not enabled' },
  RequestExpired: { fault: 'denied', why: SKEWED },
  RequestTimeTooSkewed: { fault: 'denied', why: SKEWED },
  CredentialsProviderError: { fault: 'unavailable', why: NO_CREDENTIALS },
  TokenProviderError: { fault: 'unavailable', why: NO_CREDENTIALS },
  Throttling: { fault: 'throttled', why: THROTTLED },
  ThrottlingException: { fault: 'throttled', why: THROTTLED },
  ThrottledException: { fault: 'throttled', why: THROTTLED },
  TooManyRequestsException: { fault: 'throttled', why: THROTTLED },
  RequestLimitExceeded: { fault: 'throttled', why: THROTTLED },
  RequestThrottled: { fault: 'throttled', why: THROTTLED },
  RequestThrottledException: { fault: 'throttled', why: THROTTLED },
  SlowDown: { fault: 'throttled', why: THROTTLED },
  ResourceNotFoundException: { fault: 'conflict', why: 'the secret, or its version, is gone since it was looked at' },
  ResourceExistsException: { fault: 'conflict', why: 'somebody else made it since it was looked at' },
  InvalidRequestException: {
    fault: 'locked',
    why: 'it cannot be used as it is: it is being deleted (restore it, or wait until it is gone), or another AWS service owns it',
  },
  LimitExceededException: {
    fault: 'rejected',
    why: 'a quota of Secrets Manager is used up: secrets of the account, versions or staging labels of the secret',
  },
  InvalidParameterException: { fault: 'rejected', why: SHAPE },
  ValidationException: { fault: 'rejected', why: SHAPE },
  PreconditionNotMetException: { fault: 'rejected', why: SHAPE },
  MalformedPolicyDocumentException: { fault: 'rejected', why: SHAPE },
  EncryptionFailure: { fault: 'unavailable', why: KMS_STATE },
  DecryptionFailure: { fault: 'unavailable', why: KMS_STATE },
  InternalServiceError: { fault: 'unavailable', why: 'AWS had an internal error' },
  InternalFailure: { fault: 'unavailable', why: 'AWS had an internal error' },
  ServiceUnavailable: { fault: 'unavailable', why: 'AWS is not available' },
  TimeoutError: { fault: 'unavailable', why: 'AWS did not answer in time' },
};
const DENIED = new Set(['AccessDeniedException', 'AccessDenied', 'NotAuthorized']);

/**
 * Turns whatever the SDK throws into our own error. Nothing of the SDK's error goes with it, as it refers to the whole
 * answer, and an answer may quote the value.
 */
export function vaultErrorOf(error: unknown, call: AwsCall): VaultError {
  if (error instanceof VaultError) return error;
  const { fault, why } = error instanceof OwnFailure ? error.meaning : meaningOf(error, call);
  return awsError(fault, call, `${call.action} failed: ${why}${requestId(error)}`);
}

/** An error of this vault type. */
export function awsError(fault: VaultFault, { vault, entry }: Pick<AwsCall, 'vault' | 'entry'>, why: string) {
  return new VaultError(fault, `Vault '${vault}', entry '${entry}': ${why}.`, { vault, entry });
}

/** The type of an error that came from AWS; empty where it is none. */
export function errorType(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** A failure of our own making inside of the SDK, which throws it on. It holds nothing of what led to it. */
export class OwnFailure extends Error {
  override readonly name = 'OwnFailure';
  readonly meaning: Meaning;

  constructor(meaning: Meaning) {
    super('see its meaning');
    this.meaning = meaning;
  }
}

/** Why there are no credentials. @param roleArn the role that was to be assumed; null: none */
export function credentialsFailure(error: unknown, roleArn: string | null, region: string): OwnFailure {
  if (error instanceof OwnFailure) return error;
  if (roleArn !== null && DENIED.has(errorType(error))) {
    const why = `${caller(error)} may not assume the role ${roleArn}: allow it sts:AssumeRole, and name it in the role's trust policy`;
    return new OwnFailure({ fault: 'denied', why });
  }
  const { fault, why } = meaningOf(error, { vault: '', entry: '', action: 'sts:AssumeRole', region });
  return new OwnFailure({ fault, why: roleArn === null ? why : `the role ${roleArn} could not be assumed: ${why}` });
}

function meaningOf(error: unknown, call: AwsCall): Meaning {
  const type = errorType(error);
  if (DENIED.has(type)) return { fault: 'denied', why: denial(error, call) };
  const code = systemCode(error);
  const known = Object.hasOwn(MEANINGS, type) ? MEANINGS[type] : undefined;
  // the SDK calls a lost connection a TimeoutError too
  const lost = type === 'TimeoutError' && code !== null && code !== 'ETIMEDOUT';
  if (known !== undefined && !lost) return known;
  if (code === 'ENOTFOUND') {
    return { fault: 'unavailable', why: `there is no such host (${code}): is the region '${call.region}' right` };
  }
  if (code !== null) return { fault: 'unavailable', why: `AWS cannot be reached (${code})` };
  const status = statusOf(error);
  if (status === null) return { fault: 'unavailable', why: 'AWS cannot be reached' };
  if (status === 429) return { fault: 'throttled', why: THROTTLED };
  if (status === 401 || status === 403) return { fault: 'denied', why: `${denial(error, call)} (status ${status})` };
  if (status >= 500) return { fault: 'unavailable', why: `the answer had status ${status}` };
  if (status >= 400) return { fault: 'rejected', why: `the answer had status ${status}` };
  if (status >= 300) {
    return { fault: 'unavailable', why: `the answer was a redirect (status ${status}), which is not followed` };
  }
  return { fault: 'malformed', why: 'the answer cannot be read' };
}

/** Names the right that is missing; of the message only what looks like an ARN or an action is taken. */
function denial(error: unknown, { action }: AwsCall): string {
  const message = error instanceof Error ? error.message : '';
  if (/\bKMS\b|\bkms:/.test(message)) {
    return `${caller(error)} may not use the secret's KMS key: allow it kms:Decrypt and kms:GenerateDataKey on the key`;
  }
  return `${caller(error)} is not allowed secretsmanager:${action} on it: see docs/vaults/aws-secrets-manager.md, 'Least rights'`;
}

function caller(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const arn = /^User: (arn:aws[a-z-]*:(?:sts|iam)::\d{12}:[\w+=,.@/-]{1,200}) is not authorized/.exec(message)?.[1];
  return arn ?? 'rekeyd';
}

function requestId(error: unknown): string {
  const metadata = metadataOf(error);
  const id = metadata !== null && 'requestId' in metadata ? metadata.requestId : undefined;
  return typeof id === 'string' && /^[0-9a-f-]{36}$/i.test(id) ? ` (AWS request ${id})` : '';
}

function statusOf(error: unknown): number | null {
  const metadata = metadataOf(error);
  const status = metadata !== null && 'httpStatusCode' in metadata ? metadata.httpStatusCode : undefined;
  return typeof status === 'number' ? status : null;
}

function metadataOf(error: unknown): object | null {
  if (!(error instanceof Error) || !('$metadata' in error)) return null;
  return typeof error.$metadata === 'object' ? error.$metadata : null;
}

function systemCode(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(code) ? code : null;
}
