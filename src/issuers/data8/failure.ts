import { IssuerError } from '../../domain/errors.ts';
import type { IssuerFault } from '../../domain/errors.ts';
import type { Duration } from '../../domain/time.ts';

/** The fixed names of what is asked of Data8: labels of a metric, and words in messages. */
export const DATA8_OPERATIONS = [
  'list-credentials',
  'get-credential',
  'create-credential',
  'update-credential',
  'delete-credential',
  'list-secrets',
  'get-secret',
  'create-secret',
  'update-secret',
  'delete-secret',
  'token',
  'discovery',
  'verify',
] as const;
export type Data8Operation = (typeof DATA8_OPERATIONS)[number];

/** Makes the errors of one issuer: each message says where it was, what was asked, and what came of it. */
export class Failures {
  readonly #issuer: string;

  constructor(issuer: string) {
    this.#issuer = issuer;
  }

  make(
    fault: IssuerFault,
    operation: Data8Operation,
    message: string,
    detail: {
      readonly status?: number | null;
      readonly retryAfter?: Duration | null;
      readonly surelyNotApplied?: boolean;
    } = {},
  ): IssuerError {
    return new IssuerError(fault, `issuer ${this.#issuer}: ${operation}: ${message}`, {
      issuer: this.#issuer,
      operation,
      ...detail,
    });
  }
}

/** The same error, with another word on whether the change may have happened. */
export function withCertainty(error: IssuerError, surelyNotApplied: boolean): IssuerError {
  if (error.surelyNotApplied === surelyNotApplied) return error;
  const { issuer, operation, status, retryAfter } = error;
  return new IssuerError(error.fault, error.message, { issuer, operation, status, retryAfter, surelyNotApplied });
}
