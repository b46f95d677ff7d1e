/** What went wrong at an issuer. */
export const ISSUER_FAULTS = [
  /** 401 after a fresh token, or the token endpoint refused our own client. */
  'unauthorized',
  /** 403: not retried. */
  'forbidden',
  /** 404. */
  'not-found',
  /** Another 4xx: the request itself is wrong, or a limit of the issuer was met. */
  'rejected',
  /** 429 after the allowed retries. */
  'throttled',
  /** 5xx, a reset, a time-out: for a POST it is ambiguous whether it was applied. */
  'unavailable',
  /** A 2xx that cannot be read: for a POST it counts as lost. */
  'malformed',
] as const;
export type IssuerFault = (typeof ISSUER_FAULTS)[number];

/** What went wrong at a vault. Absence is not among them: it is an answer (`state: 'absent'`), never an error. */
export const VAULT_FAULTS = [
  'denied',
  'unavailable',
  /** Compare-and-set failed: somebody wrote between our read and our write. */
  'conflict',
  'throttled',
  /** The payload or name is one that this vault cannot hold. */
  'rejected',
  /** The entry is in a condition in which it cannot be written (immutable, scheduled for deletion and not ours). */
  'locked',
  'malformed',
] as const;
export type VaultFault = (typeof VAULT_FAULTS)[number];

/** An error whose message is meant for a person and holds no secret. Only such messages are stored or shown. */
export abstract class RekeydError extends Error {
  abstract readonly code: string;
}

export class IssuerError extends RekeydError {
  override readonly name = 'IssuerError';
  readonly code: `issuer.${IssuerFault}`;
  readonly fault: IssuerFault;
  readonly issuer: string;
  readonly operation: string;
  readonly status: number | null;
  /** How long the issuer asked us to wait, already clamped; null where it said nothing. */
  readonly retryAfter: number | null;
  /** True where the request surely was not executed: refused connection, 401, 429, failure to get a token. */
  readonly surelyNotApplied: boolean;

  constructor(
    fault: IssuerFault,
    message: string,
    context: {
      readonly issuer: string;
      readonly operation: string;
      readonly status?: number | null;
      readonly retryAfter?: number | null;
      readonly surelyNotApplied?: boolean;
    },
  ) {
    super(message);
    this.fault = fault;
    this.code = `issuer.${fault}`;
    this.issuer = context.issuer;
    this.operation = context.operation;
    this.status = context.status ?? null;
    this.retryAfter = context.retryAfter ?? null;
    this.surelyNotApplied = context.surelyNotApplied ?? false;
  }
}

export class VaultError extends RekeydError {
  override readonly name = 'VaultError';
  readonly code: `vault.${VaultFault}`;
  readonly fault: VaultFault;
  readonly vault: string;
  readonly entry: string | null;

  constructor(fault: VaultFault, message: string, context: { readonly vault: string; readonly entry?: string | null }) {
    super(message);
    this.fault = fault;
    this.code = `vault.${fault}`;
    this.vault = context.vault;
    this.entry = context.entry ?? null;
  }
}

/** The ledger could not keep a record: full disk, read-only, corrupt. Nothing is changed anywhere without it. */
export class LedgerError extends RekeydError {
  override readonly name = 'LedgerError';
  readonly code = 'ledger.failed';
}

/** A configuration or a command line that cannot be used: exit code 2. */
export class ConfigError extends RekeydError {
  override readonly name = 'ConfigError';
  readonly code = 'config.invalid';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

export interface ConfigProblem {
  /** The file, or null where the problem is of no one file. */
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** The key's path, as a person writes it: `credentials[0].deliver[1].vault`. */
  readonly key: string;
  readonly message: string;
}

export function formatProblem(problem: ConfigProblem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== null).join(':');
  return [place, problem.key, problem.message].filter((part) => part !== '').join(': ');
}

/**
 * The message of anything thrown, safe to store and show: only our own errors are trusted to hold no secret; of others
 * just the class and, where it has one, the system's code (`ENOSPC`).
 */
export function safeMessage(error: unknown): string {
  if (error instanceof RekeydError) return error.message;
  if (error instanceof Error) {
    const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
    return `unexpected ${error.name}${code}`;
  }
  return 'unexpected failure';
}
