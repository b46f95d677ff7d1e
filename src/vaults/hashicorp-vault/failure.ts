import { VaultError, safeMessage } from '../../domain/errors.ts';
import type { VaultFault } from '../../domain/errors.ts';
import { systemCode } from '../system-error.ts';
import type { WireReply } from './transport.ts';
import { isObject, parseJson } from '../../domain/json.ts';

/** What was tried, for the message and the right that may be missing. */
export interface Attempt {
  /** Null: of no one entry. */
  readonly entry: string | null;
  /** As in 'reading failed'. */
  readonly doing: string;
  /** What a policy must grant: `patch on "secret/metadata/prod/orders"`; null: no policy grants it. */
  readonly right: string | null;
}

/** Sentences of the server that tell what a status alone does not. They are only looked for, never passed on. */
const CAS_MISMATCH = /check-and-set parameter did not match/;
const MARKS_NEED_CAS = /metadata check-and-set parameter required/;
const MARKS_CAS_MISMATCH = /metadata check-and-set parameter does not match|metadata_cas must be 0/;
const TOO_LARGE = /too large/i;
const NO_NAMESPACE = /namespace not found/;
const UPGRADING = /upgrading from non-versioned/i;
const BAD_METADATA = /custom_metadata validation failed/;

/** Reading lags behind writing: the node has not seen what this client has (412), or is a standby that tells so. */
const BEHIND = new Set([412, 472, 473]);

/** Makes the errors of one vault: each says where, what was tried, and what to do. Nothing of an answer's body is in them. */
export class Failures {
  readonly #vault: string;
  readonly #origin: string;

  constructor(vault: string, origin: string) {
    this.#vault = vault;
    this.#origin = origin;
  }

  make(fault: VaultFault, entry: string | null, why: string): VaultError {
    const place = entry === null ? '' : `, entry '${entry}'`;
    return new VaultError(fault, `Vault '${this.#vault}'${place}: ${why}.`, { vault: this.#vault, entry });
  }

  /** Of an answer that is no success. */
  ofStatus({ entry, doing, right }: Attempt, reply: WireReply): VaultError {
    const { fault, why } = explain(reply, right);
    return this.make(fault, entry, `${doing} failed: ${this.#origin} answered ${reply.status}: ${why}`);
  }

  /** Of a 2xx that is not what the API says it is. */
  malformed({ entry, doing }: Attempt, what: string): VaultError {
    return this.make('malformed', entry, `${doing} failed: ${this.#origin} answered without ${what}`);
  }

  /** Of a request without a whole answer. A library's error is turned into its code here; nothing else of it goes on. */
  ofConnection({ entry, doing }: Attempt, error: unknown): VaultError {
    const code = systemCode(error);
    const trust = code !== null && /SELF_SIGNED|ISSUER_CERT|SIGNATURE/.test(code) ? '; is its CA in caFile?' : '';
    return this.make(
      'unavailable',
      entry,
      `${doing} failed: no whole answer from ${this.#origin} (${safeMessage(error)})${trust}`,
    );
  }
}

/** The sentences in an error's body. */
export function errorsIn(body: string | null): string {
  const object = parseJson(body);
  const errors = isObject(object) ? object['errors'] : null;
  return Array.isArray(errors) ? errors.filter((each) => typeof each === 'string').join('\n') : '';
}

/**
 * Whether the server says that there is no such entry: 404 with an empty list of errors. A mount or namespace that is not
 * there is a 404 as well, and so is a proxy's, but those say something, or something else.
 */
export function isNotFound({ status, body }: WireReply): boolean {
  const object = status === 404 ? parseJson(body) : null;
  return isObject(object) && Array.isArray(object['errors']) && object['errors'].length === 0;
}

/** A patch of what is not there is a 404 with nothing in it. */
export function isNothingToPatch(reply: WireReply): boolean {
  return isNotFound(reply) || (reply.status === 404 && reply.body === '');
}

export function isSuccess({ status }: WireReply): boolean {
  return status >= 200 && status < 300;
}

export function isBehind(reply: WireReply): boolean {
  return BEHIND.has(reply.status);
}

/** Metadata was changed since its version was read. */
export function isMetadataConflict(reply: WireReply): boolean {
  return reply.status === 400 && MARKS_CAS_MISMATCH.test(errorsIn(reply.body));
}

/** OpenBao, where an operator set `metadata_cas_required`: to be sent (again) with the version that it has now. */
export function needsMetadataCas(reply: WireReply): boolean {
  return isMetadataConflict(reply) || (reply.status === 400 && MARKS_NEED_CAS.test(errorsIn(reply.body)));
}

function explain({ status, body }: WireReply, right: string | null): { fault: VaultFault; why: string } {
  const said = errorsIn(body);
  if (status >= 300 && status < 400) {
    return {
      fault: 'unavailable',
      why: 'a redirect, which is not followed with a token: let url name the active node, or a balancer for it',
    };
  }
  if (status === 403) {
    return { fault: 'denied', why: right === null ? 'not allowed' : `the policy must grant ${right}` };
  }
  if (TOO_LARGE.test(said) || status === 413) {
    return { fault: 'rejected', why: 'the entry is larger than the server or its storage takes' };
  }
  if (status === 400) return explainRefusal(said);
  if (status === 404) {
    const what = NO_NAMESPACE.test(said)
      ? 'there is no such namespace'
      : 'nothing is mounted there, or this is no Vault';
    return { fault: 'unavailable', why: what };
  }
  if (status === 405) return { fault: 'rejected', why: 'not supported: Vault 1.9 or later, or OpenBao, is needed' };
  if (BEHIND.has(status)) return { fault: 'unavailable', why: 'the node has not caught up with the active one' };
  if (status === 429) return { fault: 'throttled', why: 'a rate limit quota of the server; lower requestsPerSecond' };
  if (status === 503) return { fault: 'unavailable', why: 'it is sealed, or under maintenance' };
  if (status >= 500) return { fault: 'unavailable', why: 'an error of the server, or no node is active' };
  return { fault: 'rejected', why: 'the request was refused' };
}

function explainRefusal(said: string): { fault: VaultFault; why: string } {
  if (CAS_MISMATCH.test(said)) return { fault: 'conflict', why: 'somebody else wrote it since it was read' };
  if (UPGRADING.test(said)) return { fault: 'unavailable', why: 'the mount is being upgraded to version 2' };
  if (BAD_METADATA.test(said)) {
    return { fault: 'rejected', why: 'custom_metadata holds 64 keys of printable text, 512 bytes each, and no more' };
  }
  if (MARKS_CAS_MISMATCH.test(said)) return { fault: 'conflict', why: 'somebody else changes its metadata' };
  return { fault: 'rejected', why: 'the request was refused' };
}
