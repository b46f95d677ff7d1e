import { z } from 'zod';
import { VaultError } from '../domain/errors.ts';
import type { VaultFault } from '../domain/errors.ts';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import type { RightReport } from '../domain/rights.ts';
import type { Duration } from '../domain/time.ts';
import { ABSENT } from './contract.ts';
import type { EntryContent, EntryDescription, EntryRef, Vault, VaultContext, VaultType } from './contract.ts';
import { fingerprint } from './fingerprint.ts';
import { ApiServer } from './kubernetes/api-server.ts';
import { readCredentials } from './kubernetes/cluster.ts';
import { toMetadata } from './kubernetes/mark-metadata.ts';
import { destinationOf, destinationShape, entryOf, fieldsProblem, nameProblem, placeOf } from './kubernetes/names.ts';
import { reportRights } from './kubernetes/rights.ts';
import { Secrets } from './kubernetes/secrets.ts';
import type { Target } from './kubernetes/secrets.ts';
import { describeMetadata, describeSight, isAsDelivered, seeSecret } from './kubernetes/sight.ts';
import type { Sight } from './kubernetes/sight.ts';
import { layOut, versionOf } from './kubernetes/stored-payload.ts';

/** Of all values of a Secret together. https://kubernetes.io/docs/concepts/configuration/secret/#restriction-data-size */
const MAX_BYTES = 1_048_576;
const CAPABILITIES = { compareAndSet: true, readable: true, map: true } as const;

const schema = z.strictObject({
  namespace: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a namespace: lower-case letters, digits and dashes')
    .nullable()
    .default(null)
    .describe('The namespace of destinations that name none; null: each names its own.'),
  kubeconfig: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("A kubeconfig file; null: the service account of rekeyd's pod."),
  context: z.string().min(1).nullable().default(null).describe('A context of the kubeconfig; null: its current one.'),
  cluster: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "A lasting name of the cluster, for the ledger; null: the API server's URL. Set it where that may change.",
    ),
});

class KubernetesVault implements Vault {
  readonly name: string;
  readonly type = 'kubernetes';
  readonly identity: string;
  readonly capabilities = CAPABILITIES;
  readonly readBack: Duration;
  readonly #namespace: string | null;
  readonly #server: ApiServer;
  readonly #secrets: Secrets;

  constructor(server: ApiServer, options: z.output<typeof schema>, context: VaultContext) {
    this.name = context.name;
    this.identity = `kubernetes:${options.cluster ?? server.server}`;
    this.readBack = context.readBack;
    this.#namespace = options.namespace;
    this.#server = server;
    this.#secrets = new Secrets(server);
  }

  async describe(
    ref: EntryRef,
    options?: { readonly prove?: boolean },
    signal?: AbortSignal,
  ): Promise<EntryDescription> {
    const target = this.#target(ref, signal);
    if (options?.prove !== true) {
      const metadata = await this.#secrets.readMetadata(target);
      const told = metadata === null ? ({ state: 'absent' } as const) : describeMetadata(metadata);
      if (told !== null) return told;
    }
    const sight = await this.#see(target);
    return sight === null ? { state: 'absent' } : describeSight(sight);
  }

  async read(ref: EntryRef, signal?: AbortSignal): Promise<EntryContent> {
    const sight = await this.#see(this.#target(ref, signal));
    return sight === null ? { state: 'absent' } : { ...describeSight(sight), payload: sight.payload };
  }

  async deliver(ref: EntryRef, payload: Payload, mark: Mark, expected: string, signal?: AbortSignal) {
    const target = this.#target(ref, signal);
    if (payload.content.byteLength > MAX_BYTES) {
      throw this.#error('rejected', ref, `the payload has more than ${MAX_BYTES} bytes`);
    }
    const laid = layOut(payload);
    if ('problem' in laid) throw this.#error('rejected', ref, laid.problem);
    const { layout, data } = laid;
    const version = versionOf(new Map(Object.entries(data)), layout.keys, target.place);
    const { labels, annotations, type } = destinationOf(ref.options);
    const own = toMetadata({ mark, layout, fingerprint: fingerprint(payload, mark), version });
    const metadata = {
      labels: { ...labels, ...own.labels },
      annotations: { ...annotations, ...own.annotations },
    };
    if (expected === ABSENT) {
      await this.#secrets.create(target, { type: type ?? 'Opaque', metadata, data });
      return { version };
    }
    const sight = await this.#expect(ref, target, expected);
    if (sight.locked !== null) throw this.#error('locked', ref, sight.locked);
    if (isAsDelivered(sight, metadata)) return { version };
    const { resourceVersion } = sight.metadata;
    const stale = sight.markedKeys.filter((key) => !layout.keys.includes(key)).map((key) => [key, null]);
    const change = { ...(Object.fromEntries(stale) as Record<string, null>), ...data };
    await this.#secrets.patch(target, { metadata: { resourceVersion, ...metadata }, data: change });
    return { version };
  }

  async restoreMark(ref: EntryRef, mark: Mark, expected: string, signal?: AbortSignal) {
    const target = this.#target(ref, signal);
    const { metadata, layout, payload, version } = await this.#expect(ref, target, expected);
    if (layout === null || payload === null) throw this.#error('malformed', ref, 'there is no value to mark');
    const own = toMetadata({ mark, layout, fingerprint: fingerprint(payload, mark), version });
    await this.#secrets.patch(target, { metadata: { resourceVersion: metadata.resourceVersion, ...own } });
    return { version };
  }

  async rights(refs: readonly EntryRef[], signal?: AbortSignal): Promise<readonly RightReport[]> {
    const places = refs.map((ref) => this.#target(ref, signal).place);
    return reportRights(this.#server, places, this.name, signal);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #target(ref: EntryRef, signal: AbortSignal | undefined): Target {
    const problem = nameProblem(ref.entry, { ...ref.options, namespace: undefined });
    if (problem !== null) throw this.#error('rejected', ref, problem);
    const place = placeOf(ref.entry, this.#namespace);
    if (place === null) throw this.#error('rejected', ref, 'no namespace is given: say `namespace` at the vault');
    return { place, about: { vault: this.name, entry: ref.entry }, signal };
  }

  async #see(target: Target): Promise<Sight | null> {
    const secret = await this.#secrets.read(target);
    return secret === null ? null : seeSecret(secret, target.place);
  }

  /** @throws VaultError `conflict` where the value is another one than was seen. */
  async #expect(ref: EntryRef, target: Target, expected: string): Promise<Sight> {
    const sight = await this.#see(target);
    if (sight !== null && sight.version === expected) return sight;
    throw this.#error('conflict', ref, 'somebody else wrote it since it was read');
  }

  #error(fault: VaultFault, { entry }: EntryRef, why: string): VaultError {
    return new VaultError(fault, `Vault '${this.name}', entry '${entry}': ${why}.`, { vault: this.name, entry });
  }
}

/** Secrets of a Kubernetes cluster, one key a field. */
export const kubernetesVaultType = {
  type: 'kubernetes',
  schema,
  paths: ['kubeconfig'],
  destination: destinationShape,
  maxBytes: MAX_BYTES,
  entryOf,
  nameProblem,
  fieldsProblem,
  create: (options, context) => openKubernetesVault(options, context),
} as const satisfies VaultType<typeof schema>;

/**
 * @param root stands before the folder of the pod's service account: tests have a pod of their own.
 * @throws ConfigError where the cluster cannot be told. It is not reached yet.
 */
export async function openKubernetesVault(
  options: z.output<typeof schema>,
  context: VaultContext,
  root = '',
): Promise<Vault> {
  const read = () => readCredentials(options, context.name, root);
  return new KubernetesVault(new ApiServer(await read(), read), options, context);
}
