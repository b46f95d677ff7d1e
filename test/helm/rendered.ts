import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { CHART, runHelm } from './helm-command.ts';
import type { Helm } from './helm-command.ts';

const FOLDER = join(import.meta.dirname, 'values');

/** The value sets that all proofs are made with, by name: test/helm/values/NAME.yaml. */
export const VALUE_SETS: readonly string[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length));

export function valuesFile(set: string): string {
  return join(FOLDER, `${set}.yaml`);
}

/** What a value set holds. */
export async function valuesOf(set: string): Promise<{ readonly config: object }> {
  return parse(await readFile(valuesFile(set), 'utf8')) as { config: object };
}

/** An object as it is sent to the API server; what a test reads of it, it says itself. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface Container {
  readonly image: string;
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
  }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

export interface Volume {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly emptyDir?: object;
  readonly projected?: {
    readonly sources: readonly {
      readonly secret: {
        readonly name: string;
        readonly items: readonly { readonly key: string; readonly path: string }[];
      };
    }[];
  };
}

export interface PodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly automountServiceAccountToken: boolean;
    readonly terminationGracePeriodSeconds: number;
    readonly containers: readonly [Container];
    readonly volumes: readonly Volume[];
  };
}

export interface Deployment extends Manifest {
  readonly spec: {
    readonly replicas: number;
    readonly strategy: { readonly type: string };
    readonly template: PodTemplate;
  };
}

export interface Role extends Manifest {
  readonly rules: readonly {
    readonly resources: string[];
    readonly resourceNames?: string[];
    readonly verbs: string[];
  }[];
}

/** The kinds that the chart makes. */
interface Kinds {
  readonly ConfigMap: Manifest & { readonly data: Readonly<Record<string, string>> };
  readonly Deployment: Deployment;
  readonly NetworkPolicy: Manifest & { readonly spec: { readonly ingress: unknown[]; readonly egress: unknown[] } };
  readonly PersistentVolumeClaim: Manifest;
  readonly PrometheusRule: Manifest & { readonly spec: unknown };
  readonly Role: Role;
  readonly RoleBinding: Manifest;
  readonly Secret: Manifest;
  readonly Service: Manifest;
  readonly ServiceAccount: Manifest;
  readonly ServiceMonitor: Manifest;
}

/** The objects of one `helm template`. */
export class Rendered {
  readonly manifests: readonly Manifest[];

  constructor(text: string) {
    this.manifests = parseAllDocuments(text)
      .map((document) => document.toJS() as Manifest | null)
      .filter((manifest) => manifest !== null);
  }

  all<Kind extends keyof Kinds>(kind: Kind): readonly Kinds[Kind][] {
    return this.manifests.filter((manifest): manifest is Kinds[Kind] => manifest.kind === kind);
  }

  /** @throws Error unless there is exactly one. */
  one<Kind extends keyof Kinds>(kind: Kind): Kinds[Kind] {
    const [found, ...others] = this.all(kind);
    if (found === undefined || others.length > 0) throw new Error(`not exactly one ${kind}`);
    return found;
  }

  get deployment(): Deployment {
    return this.one('Deployment');
  }

  get pod(): PodTemplate {
    return this.deployment.spec.template;
  }

  /** rekeyd.yaml, as the ConfigMap has it. */
  get config(): string {
    const [text, ...others] = this.all('ConfigMap').flatMap(({ data }) => data['rekeyd.yaml'] ?? []);
    if (text === undefined || others.length > 0) throw new Error('not exactly one ConfigMap with rekeyd.yaml');
    return text;
  }
}

/** `helm template rekeyd`, in namespace `rekeyd` unless told. @throws Error with what Helm says where it refuses. */
export async function template(helm: Helm, files: readonly string[], namespace = 'rekeyd'): Promise<Rendered> {
  const values = files.flatMap((file) => ['--values', file]);
  const { code, out, err } = await runHelm(helm, ['template', 'rekeyd', CHART, '--namespace', namespace, ...values]);
  if (code !== 0) throw new Error(err);
  return new Rendered(out);
}

/** As {@link template}, of values that are no file; sent as JSON, since Helm reads YAML 1.1, where `no` is false. */
export async function templateValues(helm: Helm, values: readonly object[], namespace?: string): Promise<Rendered> {
  const folder = await mkdtemp(join(tmpdir(), 'rekeyd-helm-'));
  try {
    const files = values.map((_, index) => join(folder, `${index}.yaml`));
    for (const [index, file] of files.entries()) await writeFile(file, JSON.stringify(values[index]));
    return await template(helm, files, namespace);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** As {@link template}, of a value set with `changes` merged over it. */
export async function templateChanged(helm: Helm, set: string, changes: object): Promise<Rendered> {
  return templateValues(helm, [await valuesOf(set), changes]);
}
