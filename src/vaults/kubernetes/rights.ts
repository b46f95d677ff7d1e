import { z } from 'zod';
import { VaultError } from '../../domain/errors.ts';
import type { RightReport } from '../../domain/rights.ts';
import type { About, ApiServer } from './api-server.ts';
import type { SecretPlace } from './names.ts';

/** What rekeyd needs to do with Secrets, see config/policies/kubernetes.yaml. `create` cannot be granted for one name. */
const VERBS_BY_NAME = ['get', 'patch'] as const;

const reviewSchema = z.object({ status: z.object({ allowed: z.boolean() }) });
const selfSchema = z.object({ status: z.object({ userInfo: z.object({ username: z.string() }) }) });

interface Question {
  readonly verb: string;
  readonly resource: 'secrets' | 'namespaces';
  readonly namespace: string;
  /** Absent: for all names. */
  readonly name?: string;
}

/**
 * Asks the API server what rekeyd may do (SelfSubjectAccessReview, which every authenticated user may create): it writes
 * nothing. Of a namespace in which something is missing, the first line says which Role to apply.
 */
export async function reportRights(
  server: ApiServer,
  places: readonly SecretPlace[],
  vault: string,
  signal: AbortSignal | undefined,
): Promise<RightReport[]> {
  const about = { vault, entry: null };
  const subject = await whoAmI(server, about, signal);
  if ('hint' in subject) return [{ right: 'reached', status: 'missing', hint: subject.hint }];
  const reports: RightReport[] = [{ right: 'reached', status: 'ok', hint: '' }];
  for (const namespace of [...new Set(places.map((place) => place.namespace))].sort()) {
    const names = [
      ...new Set(places.filter((place) => place.namespace === namespace).map((place) => place.name)),
    ].sort();
    const role = `apply (kubectl apply -f -): ${JSON.stringify(roleFor(namespace, names, subject.username))}`;
    let told = false;
    for (const question of questionsFor(namespace, names)) {
      const allowed = await mayI(server, question, about, signal);
      const right = `${question.verb} ${question.resource}${question.name === undefined ? '' : `/${question.name}`} in ${namespace}`;
      if (allowed === null) {
        reports.push({ right, status: 'unknown', hint: 'the API server does not answer SelfSubjectAccessReviews' });
      } else if (allowed) reports.push({ right, status: 'ok', hint: '' });
      else {
        reports.push({ right, status: 'missing', hint: told ? 'the same Role grants it' : role });
        told = true;
      }
    }
  }
  return reports;
}

/** Role and RoleBinding with the least rights for these Secrets, as one object for `kubectl apply`. */
export function roleFor(namespace: string, names: readonly string[], username: string): object {
  const metadata = { name: 'rekeyd', namespace };
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata,
        rules: [
          { apiGroups: [''], resources: ['secrets'], resourceNames: names, verbs: VERBS_BY_NAME },
          { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
          { apiGroups: [''], resources: ['namespaces'], resourceNames: [namespace], verbs: ['get'] },
        ],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'rekeyd' },
        subjects: [subjectOf(username)],
      },
    ],
  };
}

function questionsFor(namespace: string, names: readonly string[]): Question[] {
  return [
    ...names.flatMap((name) => VERBS_BY_NAME.map((verb): Question => ({ verb, resource: 'secrets', namespace, name }))),
    { verb: 'create', resource: 'secrets', namespace },
    { verb: 'get', resource: 'namespaces', namespace, name: namespace },
  ];
}

function subjectOf(username: string): object {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username) ?? [];
  if (namespace !== undefined && name !== undefined) return { kind: 'ServiceAccount', namespace, name };
  return { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: username };
}

/** Proves that the API server is there and knows rekeyd. */
async function whoAmI(
  server: ApiServer,
  about: About,
  signal: AbortSignal | undefined,
): Promise<{ readonly username: string } | { readonly hint: string }> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  try {
    const answer = await server.send({ method: 'POST', path, body }, about, signal);
    if (answer.status === 401)
      return { hint: `${server.server} does not know rekeyd's token or certificate: renew it` };
    if (answer.status >= 500 || answer.status === 429) return { hint: `${server.server} answered ${answer.status}` };
    // Kubernetes before 1.28 has no such review: it was reached, and the Role is to be bound by hand.
    const username = selfSchema.safeParse(answer.body).data?.status.userInfo.username ?? 'REKEYD';
    return { username };
  } catch (error) {
    if (error instanceof VaultError) return { hint: error.message };
    throw error;
  }
}

/** Null: it does not say. */
async function mayI(
  server: ApiServer,
  question: Question,
  about: About,
  signal: AbortSignal | undefined,
): Promise<boolean | null> {
  const resourceAttributes = { group: '', version: 'v1', ...question };
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const answer = await server.send({ method: 'POST', path, body }, about, signal);
  return reviewSchema.safeParse(answer.body).data?.status.allowed ?? null;
}
