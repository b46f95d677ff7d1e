import { setTimeout as sleep } from 'node:timers/promises';
import { apiRequest, must } from './kubernetes-api.ts';
import type { KubernetesAccess } from './kubernetes.ts';

/** What rekeyd needs in a namespace whatever the names, as config/policies/kubernetes.yaml has it without `resourceNames`. */
const RULES = [
  { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'patch', 'create'] },
  { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
];

/** A namespace with a service account `rekeyd`, and an administrator who works past the vault. */
export class KubernetesTeam {
  readonly namespace: string;
  readonly #admin: KubernetesAccess;

  private constructor(admin: KubernetesAccess, namespace: string) {
    this.#admin = admin;
    this.namespace = namespace;
  }

  /** Makes it; the service account has no rights yet. */
  static async make(admin: KubernetesAccess, label: string): Promise<KubernetesTeam> {
    const namespace = `${label}-${Math.random().toString(36).slice(2, 8)}`;
    await must(admin, 'POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    const team = new KubernetesTeam(admin, namespace);
    await team.must('POST', '/serviceaccounts', { metadata: { name: 'rekeyd' } });
    return team;
  }

  /** A token of the service account. */
  async token(expirationSeconds = 3_600): Promise<string> {
    const answer = await this.must<{ status: { token: string } }>('POST', '/serviceaccounts/rekeyd/token', {
      spec: { expirationSeconds },
    });
    return answer.status.token;
  }

  /** As administrator, below the namespace. */
  must<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    return must<T>(this.#admin, method, `/api/v1/namespaces/${this.namespace}${path}`, body);
  }

  /** Grants what is needed, in this namespace. @returns what takes it away again. Both wait until the server heeds it. */
  async grant(token: string): Promise<() => Promise<void>> {
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${this.namespace}`;
    const metadata = { name: 'rekeyd' };
    await must(this.#admin, 'POST', `${rbac}/roles`, { metadata, rules: RULES });
    await must(this.#admin, 'POST', `${rbac}/rolebindings`, {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'rekeyd' },
      subjects: [{ kind: 'ServiceAccount', name: 'rekeyd', namespace: this.namespace }],
    });
    await this.#until(token, 404);
    return async () => {
      await must(this.#admin, 'DELETE', `${rbac}/rolebindings/rekeyd`);
      await must(this.#admin, 'DELETE', `${rbac}/roles/rekeyd`);
      await this.#until(token, 403);
    };
  }

  /** The API server's authorizer follows its own watch. */
  async #until(token: string, status: number): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/secrets/nothing-of-this-name`;
    for (let tries = 0; tries < 100; tries++) {
      if ((await apiRequest({ ...this.#admin, token }, 'GET', path)).status === status) return;
      await sleep(50);
    }
    throw new Error(`GET ${path} is still not answered by ${status}`);
  }
}
