import type { VaultError, VaultFault } from '../domain/errors.ts';
import { isOurs } from '../domain/mark.ts';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import type { RightReport } from '../domain/rights.ts';
import type { Duration } from '../domain/time.ts';
import { SecretsApi } from './aws-secrets-manager/api.ts';
import { openClient } from './aws-secrets-manager/client.ts';
import { awsError } from './aws-secrets-manager/errors.ts';
import { fieldTags, readFields, readVersion, staleKeys, versionTags } from './aws-secrets-manager/mark-tags.ts';
import type { VersionMark } from './aws-secrets-manager/mark-tags.ts';
import { nameProblem, optionsProblem } from './aws-secrets-manager/names.ts';
import { accountOf, awsDestination, awsSchema, destinationTags } from './aws-secrets-manager/options.ts';
import type { AwsOptions } from './aws-secrets-manager/options.ts';
import { reportRights } from './aws-secrets-manager/rights.ts';
import type { Snapshot } from './aws-secrets-manager/snapshot.ts';
import { countTags, MOST_TAGS } from './aws-secrets-manager/tag-text.ts';
import type { Tag } from './aws-secrets-manager/tag-text.ts';
import { versionIdOf } from './aws-secrets-manager/version-id.ts';
import { ABSENT } from './contract.ts';
import type { EntryContent, EntryDescription, EntryRef, Vault, VaultContext, VaultType } from './contract.ts';
import { sameMark } from './mark-fields.ts';

const TYPE = 'aws-secrets-manager';
/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const MAX_BYTES = 65_536;

class AwsVault implements Vault {
  readonly name: string;
  readonly type = TYPE;
  readonly identity: string;
  readonly capabilities = { compareAndSet: true, readable: true, map: false } as const;
  readonly readBack: Duration;
  readonly #api: SecretsApi;
  readonly #options: AwsOptions;
  readonly #context: VaultContext;

  constructor(api: SecretsApi, options: AwsOptions, region: string, context: VaultContext) {
    this.name = context.name;
    this.identity = identityOf(options, region);
    this.readBack = context.readBack;
    this.#api = api;
    this.#options = options;
    this.#context = context;
  }

  /** Reads no value: a version never changes, so its id binds the mark. */
  async describe(ref: EntryRef, _options?: object, signal?: AbortSignal): Promise<EntryDescription> {
    const found = await this.#api.describe(ref.entry, signal);
    return found === null ? { state: 'absent' } : describeFound(found);
  }

  async read(ref: EntryRef, signal?: AbortSignal): Promise<EntryContent> {
    const found = await this.#api.describe(ref.entry, signal);
    if (found === null) return { state: 'absent' };
    const described = describeFound(found);
    const current = found.current.at(-1);
    if (current === undefined || found.deletion !== null) return { ...described, payload: null };
    const content = await this.#api.value(ref.entry, current, signal);
    if (content === null) return { ...described, binding: 'broken', payload: null };
    return { ...described, payload: { form: currentMark(found)?.form ?? 'opaque', content } };
  }

  async deliver(ref: EntryRef, payload: Payload, mark: Mark, expected: string, signal?: AbortSignal) {
    if (payload.content.byteLength > MAX_BYTES) {
      throw this.#error('rejected', ref.entry, `the payload has more than ${MAX_BYTES} bytes`);
    }
    const found = await this.#expect(ref.entry, expected, signal);
    const next = { versionId: versionIdOf(ref.entry, payload, mark), mark, form: payload.form };
    if (found === null) {
      await this.#create(ref, payload, next, signal);
      return { version: next.versionId };
    }
    await this.#makeWritable(ref.entry, found, mark, signal);
    if (await this.#holds(ref.entry, found, payload, next, signal)) return { version: found.version };
    await this.#announce(ref.entry, found, next, signal);
    if (found.version !== next.versionId) await this.#replace(ref.entry, found, payload, next.versionId, signal);
    await this.#api.tag(ref.entry, fieldTags(mark), signal);
    return { version: next.versionId };
  }

  async restoreMark(ref: EntryRef, mark: Mark, expected: string, signal?: AbortSignal) {
    const found = await this.#expect(ref.entry, expected, signal);
    if (found === null) throw this.#error('conflict', ref.entry, 'there is no entry to mark');
    const [current, ...more] = found.current;
    if (current === undefined || more.length > 0) {
      throw this.#error('malformed', ref.entry, 'there is no one version that is current, to mark it');
    }
    if (found.deletion !== null) throw this.#deleted(ref.entry, found.deletion);
    const form = currentMark(found)?.form ?? 'opaque';
    const tags = [...versionTags(current, { mark, form }), ...fieldTags(mark)];
    this.#checkRoom(ref.entry, found.tags.keys(), tags);
    await this.#api.tag(ref.entry, tags, signal);
    return { version: found.version };
  }

  rights(refs: readonly EntryRef[], signal?: AbortSignal): Promise<readonly RightReport[]> {
    return reportRights(this.#api, this.#options, refs, signal);
  }

  close(): Promise<void> {
    this.#api.close();
    return Promise.resolve();
  }

  async #expect(entry: string, expected: string, signal?: AbortSignal): Promise<Snapshot | null> {
    const found = await this.#api.describe(entry, signal);
    if ((found?.version ?? ABSENT) === expected) return found;
    throw this.#error('conflict', entry, 'somebody else wrote it since it was read');
  }

  /** @throws VaultError `locked`. */
  async #makeWritable(entry: string, found: Snapshot, mark: Mark, signal?: AbortSignal): Promise<void> {
    if (found.locked !== null) throw this.#error('locked', entry, found.locked);
    for (const region of found.failedReplicas) {
      const fields = { vault: this.name, entry, region };
      this.#context.log.warn('vault-replica-failed', 'AWS could not make a replica of the secret in a region', fields);
    }
    if (found.deletion === null) return;
    const { mark: marked } = describeFound(found);
    if (marked === null || !isOurs(marked, mark)) throw this.#deleted(entry, found.deletion);
    await this.#api.restore(entry, signal);
    const fields = { vault: this.name, entry };
    this.#context.log.warn('vault-entry-restored', 'The secret was scheduled for deletion; it was restored', fields);
  }

  /** Nothing would change: then nothing is written (V16). */
  async #holds(entry: string, found: Snapshot, payload: Payload, next: NextVersion, signal?: AbortSignal) {
    const there = currentMark(found);
    if (there === null || !sameMark(there.mark, next.mark) || there.form !== next.form) return false;
    if (found.version === next.versionId) return true;
    // a version that somebody else put, and that was given this mark
    return (await this.#api.value(entry, found.version, signal))?.equals(payload.content) ?? false;
  }

  async #create(ref: EntryRef, payload: Payload, next: NextVersion, signal?: AbortSignal): Promise<void> {
    const { kmsKeyId, replicaRegions } = this.#options;
    const tags = { ...this.#options.tags, ...destinationTags(ref.options) };
    const chosen = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const ours = [...versionTags(next.versionId, next), ...fieldTags(next.mark)];
    this.#checkRoom(ref.entry, Object.keys(tags), ours);
    const replicas = replicaRegions.map((each) =>
      typeof each === 'string' ? { Region: each } : { Region: each.region, KmsKeyId: each.kmsKeyId },
    );
    const secret = { versionId: next.versionId, payload, tags: [...chosen, ...ours], kmsKeyId, replicas };
    await this.#api.create(ref.entry, secret, signal);
  }

  /** Before the version is put: so whichever version is current, a crash in between included, has its mark (V2). */
  async #announce(entry: string, found: Snapshot, next: NextVersion, signal?: AbortSignal): Promise<void> {
    const needed = [...found.current, ...(found.previous === null ? [] : [found.previous]), next.versionId];
    const stale = staleKeys(found.tags, needed, next.mark.deliveredAt);
    const announced = versionTags(next.versionId, next);
    const kept = [...found.tags.keys()].filter((key) => !stale.includes(key));
    this.#checkRoom(entry, kept, [...announced, ...fieldTags(next.mark)]);
    if (stale.length > 0) await this.#api.untag(entry, stale, signal);
    await this.#api.tag(entry, announced, signal);
  }

  async #replace(entry: string, found: Snapshot, payload: Payload, versionId: string, signal?: AbortSignal) {
    if (await this.#api.put(entry, versionId, payload, signal)) return;
    const from = found.current.at(-1) ?? null;
    for (const extra of found.current.slice(0, -1)) await this.#api.demote(entry, extra, signal);
    await this.#api.promote(entry, versionId, from, signal);
  }

  #checkRoom(entry: string, there: Iterable<string>, more: readonly Tag[]): void {
    const keys = more.map(({ Key }) => Key);
    const count = countTags(there, keys);
    if (count <= MOST_TAGS) return;
    const why = `it would have ${count} tags, ${keys.length} of them rekeyd's, and AWS allows ${MOST_TAGS}: remove some`;
    throw this.#error('rejected', entry, why);
  }

  #deleted(entry: string, deletion: Date): VaultError {
    return this.#error('locked', entry, deletedWhy(deletion));
  }

  #error(fault: VaultFault, entry: string, why: string): VaultError {
    return awsError(fault, { vault: this.name, entry }, why);
  }
}

interface NextVersion extends VersionMark {
  readonly versionId: string;
}

/** Secrets of AWS Secrets Manager. */
export const awsSecretsManagerVaultType = {
  type: TYPE,
  schema: awsSchema,
  paths: [],
  destination: awsDestination,
  maxBytes: MAX_BYTES,
  entryOf: (name) => name,
  nameProblem,
  optionsProblem,
  create: async (options, context) => {
    const { client, region } = await openClient(options, context);
    return new AwsVault(new SecretsApi(client, context.name, region), options, region, context);
  },
} as const satisfies VaultType<typeof awsSchema>;

function describeFound(found: Snapshot): Extract<EntryDescription, { state: 'present' }> {
  const bound = found.deletion === null ? currentMark(found) : null;
  const mark = currentMark(found)?.mark ?? readFields(found.tags);
  const lock = found.locked ?? (found.deletion !== null && mark === null ? deletedWhy(found.deletion) : null);
  return {
    state: 'present',
    version: found.version,
    ...(found.revision === undefined ? {} : { revision: found.revision }),
    mark,
    binding: bound === null ? 'broken' : 'bound',
    ...(lock === null ? {} : { locked: lock }),
  };
}

/** The mark of the version that is current; null: it has none, or there is no one current version. */
function currentMark({ current, tags }: Snapshot): VersionMark | null {
  const [only, ...more] = current;
  return only === undefined || more.length > 0 ? null : readVersion(tags, only);
}

function deletedWhy(deletion: Date): string {
  return `it is scheduled for deletion (${deletion.toISOString()}) and not ours: restore it in AWS, or choose another name`;
}

/** The endpoints of AWS itself all lead to the one store of an account and region. */
function identityOf({ endpoint, roleArn }: AwsOptions, region: string): string {
  const account = accountOf(roleArn) ?? 'default';
  const foreign = endpoint !== null && !/\.(amazonaws\.com(\.cn)?|api\.aws)$/.test(new URL(endpoint).hostname);
  return [TYPE, region, account, ...(foreign ? [new URL(endpoint).origin] : [])].join(':');
}
