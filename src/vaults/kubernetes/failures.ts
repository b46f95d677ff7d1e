import { z } from 'zod';
import { VaultError } from '../../domain/errors.ts';
import type { VaultFault } from '../../domain/errors.ts';
import type { About, ApiAnswer } from './api-server.ts';
import type { SecretPlace } from './names.ts';

/** A request that was refused: what it wanted, and of what. */
export interface Doing {
  readonly about: About;
  readonly verb: 'get' | 'create' | 'patch';
  readonly resource: 'secrets' | 'namespaces';
  readonly place: SecretPlace;
}

/** https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#status-v1-meta */
const statusSchema = z.object({
  message: z.string().nullish(),
  details: z
    .object({
      kind: z.string().nullish(),
      causes: z.array(z.object({ reason: z.string().nullish() })).nullish(),
    })
    .nullish(),
});

/**
 * Turns a refusal into an error. What the API server says in words is looked at, never quoted: an admission webhook may
 * put anything into it, the object that it refuses included (S1).
 */
export function failure(answer: ApiAnswer, doing: Doing): VaultError {
  const { fault, why } = explain(answer, doing);
  const { about } = doing;
  const place = about.entry === null ? '' : `, entry '${about.entry}'`;
  return new VaultError(fault, `Vault '${about.vault}'${place}: ${why}.`, about);
}

/** The namespace is not there: an error, never the absence of the entry (V9). */
export function namespaceGone(doing: Doing, why: 'missing' | 'terminating'): VaultError {
  const { about, place } = doing;
  const what =
    why === 'missing'
      ? `the namespace '${place.namespace}' is not there: make it, or take it out of the rule`
      : `the namespace '${place.namespace}' is being deleted`;
  return new VaultError('unavailable', `Vault '${about.vault}', entry '${about.entry ?? ''}': ${what}.`, about);
}

/** Whether a 404 is about the namespace, which the API server says when something is to be made in it. */
export function isNamespaceMissing({ status, body }: ApiAnswer): boolean {
  return status === 404 && statusSchema.safeParse(body).data?.details?.kind === 'namespaces';
}

/** Whether a 403 is about a namespace that is on its way out. */
export function isNamespaceTerminating({ status, body }: ApiAnswer): boolean {
  const causes = statusSchema.safeParse(body).data?.details?.causes ?? [];
  return status === 403 && causes.some((cause) => cause.reason === 'NamespaceTerminating');
}

function explain({ status, body }: ApiAnswer, doing: Doing): { fault: VaultFault; why: string } {
  const { verb, resource, place } = doing;
  const what =
    resource === 'secrets'
      ? `secrets/${place.name} in namespace '${place.namespace}'`
      : `namespaces/${place.namespace}`;
  const answered = `${verb} ${what}: the API server answered ${status}`;
  if (status >= 300 && status < 400) {
    return {
      fault: 'unavailable',
      why: `${answered}, a redirect, which is not followed: give the API server's own URL`,
    };
  }
  switch (status) {
    case 401:
      return {
        fault: 'denied',
        why: `${answered}: it does not know rekeyd's token or certificate; renew it in the kubeconfig`,
      };
    case 403:
      return forbidden(answered, statusSchema.safeParse(body).data?.message ?? '', doing);
    case 409:
      return { fault: 'conflict', why: 'somebody else wrote it since it was read' };
    case 413:
      return { fault: 'rejected', why: `${answered}: the Secret is too large` };
    case 400:
    case 405:
    case 415:
    case 422: {
      const hint = "an admission policy, or the Secret's type, asks for something else; see the API server's audit log";
      return { fault: 'rejected', why: `${answered}: ${hint}` };
    }
    case 429:
      return { fault: 'throttled', why: `${answered}: it has too much to do` };
    default: {
      const known = status >= 500 || status === 408;
      return {
        fault: known ? 'unavailable' : 'malformed',
        why: known ? answered : `${answered}, which makes no sense`,
      };
    }
  }
}

function forbidden(
  answered: string,
  message: string,
  { verb, resource, place }: Doing,
): { fault: VaultFault; why: string } {
  if (/\bexceeded quota\b/.test(message)) {
    return { fault: 'rejected', why: `${answered}: a quota of namespace '${place.namespace}' is used up: raise it` };
  }
  if (/\badmission webhook\b/.test(message)) {
    return { fault: 'rejected', why: `${answered}: an admission webhook denies it; see the API server's audit log` };
  }
  const grant = `grant the verb ${verb} on ${resource} in namespace '${place.namespace}' (config/policies/kubernetes.yaml)`;
  const gone = resource === 'secrets' ? '; where the namespace was deleted, the right to it went with it' : '';
  return { fault: 'denied', why: `${answered}: rekeyd may not: ${grant}${gone}` };
}
