/** An error answer of the service: its type, and the text beside it. */
export class AwsRefusal extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

interface Version {
  readonly id: string;
  readonly value: { readonly SecretString?: string; readonly SecretBinary?: string };
  stages: string[];
}

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** A secret as the store keeps it; tests set what no operation can. */
export interface StoredSecret {
  readonly name: string;
  readonly created: Record<string, unknown>;
  tags: Map<string, string>;
  versions: Map<string, Version>;
  deletedAt: number | null;
  /** When anything of it was changed last, in seconds. */
  changedAt: number;
  /** Shown by DescribeSecret as it is: OwningService, RotationEnabled, ReplicationStatus, … */
  more: Record<string, unknown>;
}

export type AwsInput = Readonly<Record<string, unknown>>;
type Answer = Record<string, unknown>;

const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const MOST_TAGS = 50;
const MOST_LABELS = 20;
const MOST_BYTES = 65_536;
const ACCOUNT = '123456789012';

/**
 * What Secrets Manager does, as the API reference says, quotas and restrictions included
 * (https://docs.aws.amazon.com/secretsmanager/latest/apireference/). An operation is whole or has done nothing.
 */
export class AwsSecretsStore {
  readonly secrets = new Map<string, StoredSecret>();
  readonly #region: string;
  #now = Date.UTC(2030, 0, 1) / 1_000;

  constructor(region: string) {
    this.#region = region;
  }

  /** @throws AwsRefusal */
  run(operation: string, input: AwsInput): Answer {
    const answer = this.#run(operation, input);
    const secret = this.secrets.get(String(input['SecretId'] ?? input['Name']));
    if (secret !== undefined && !/^(Describe|Get)/.test(operation)) secret.changedAt = this.#now += 0.001;
    return answer;
  }

  #run(operation: string, input: AwsInput): Answer {
    switch (operation) {
      case 'CreateSecret':
        return this.#create(input);
      case 'DescribeSecret':
        return this.#describe(this.#find(input));
      case 'GetSecretValue':
        return this.#value(this.#writable(input), input);
      case 'PutSecretValue':
        return this.#put(this.#writable(input), input);
      case 'UpdateSecretVersionStage':
        return this.#move(this.#writable(input), input);
      case 'TagResource':
        setTags(this.#writable(input), tagsOf(input));
        return {};
      case 'UntagResource':
        for (const key of input['TagKeys'] as string[]) this.#writable(input).tags.delete(key);
        return {};
      case 'DeleteSecret':
        return this.#delete(this.#find(input), input);
      case 'RestoreSecret':
        this.#find(input).deletedAt = null;
        return this.#naming(this.#find(input));
      default:
        throw new AwsRefusal('UnknownOperationException', operation);
    }
  }

  #create(input: AwsInput): Answer {
    const name = text(input, 'Name');
    if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name)) throw new AwsRefusal('ValidationException', 'Invalid name.');
    const there = this.secrets.get(name);
    if (there !== undefined) {
      if (there.deletedAt !== null) {
        throw new AwsRefusal(
          'InvalidRequestException',
          "You can't create this secret because a secret with this name is already scheduled for deletion.",
        );
      }
      const known = there.versions.get(text(input, 'ClientRequestToken'));
      if (known !== undefined && sameValue(known.value, input)) return { ...this.#naming(there), VersionId: known.id };
      throw new AwsRefusal(
        'ResourceExistsException',
        `The operation failed because the secret ${name} already exists.`,
      );
    }
    const secret: StoredSecret = {
      name,
      created: { ...input },
      tags: new Map(),
      versions: new Map(),
      deletedAt: null,
      changedAt: this.#now,
      more: {},
    };
    setTags(secret, tagsOf(input));
    const hasValue = input['SecretString'] !== undefined || input['SecretBinary'] !== undefined;
    if (hasValue) addVersion(secret, input, ['AWSCURRENT']);
    this.secrets.set(name, secret);
    return { ...this.#naming(secret), ...(hasValue ? { VersionId: text(input, 'ClientRequestToken') } : {}) };
  }

  #put(secret: StoredSecret, input: AwsInput): Answer {
    const id = text(input, 'ClientRequestToken');
    const known = secret.versions.get(id);
    if (known !== undefined) {
      if (!sameValue(known.value, input)) {
        throw new AwsRefusal(
          'ResourceExistsException',
          `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${secret.name}.`,
        );
      }
      return { ...this.#naming(secret), VersionId: id, VersionStages: known.stages };
    }
    const wanted = (input['VersionStages'] as string[] | undefined) ?? ['AWSCURRENT'];
    const stages = secret.versions.size === 0 ? [...new Set([...wanted, 'AWSCURRENT'])] : wanted;
    const version = addVersion(secret, input, stages);
    return { ...this.#naming(secret), VersionId: id, VersionStages: version.stages };
  }

  #move(secret: StoredSecret, input: AwsInput): Answer {
    const stage = text(input, 'VersionStage');
    const [to, from] = [input['MoveToVersionId'], input['RemoveFromVersionId']] as (string | undefined)[];
    const holder = [...secret.versions.values()].find((version) => version.stages.includes(stage));
    const refuse = (message: string): never => {
      throw new AwsRefusal('InvalidParameterException', message);
    };
    if (to === undefined && stage === 'AWSCURRENT') refuse("You can't remove the staging label AWSCURRENT.");
    if (to !== undefined && !secret.versions.has(to)) {
      throw new AwsRefusal('ResourceNotFoundException', "Secrets Manager can't find the specified secret version.");
    }
    if (holder !== undefined && holder.id !== to && from === undefined) {
      refuse(
        `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`,
      );
    }
    if (from !== undefined && holder?.id !== from) {
      refuse(
        `When you move staging label ${stage}, if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label ${stage}.`,
      );
    }
    label(secret, stage, to ?? null);
    return this.#naming(secret);
  }

  #value(secret: StoredSecret, input: AwsInput): Answer {
    const stage = typeof input['VersionStage'] === 'string' ? input['VersionStage'] : 'AWSCURRENT';
    const id = input['VersionId'];
    const found = [...secret.versions.values()].find((version) =>
      typeof id === 'string' ? version.id === id : version.stages.includes(stage),
    );
    if (found === undefined) {
      throw new AwsRefusal(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret value for staging label: ${stage}`,
      );
    }
    return { ...this.#naming(secret), VersionId: found.id, VersionStages: found.stages, ...found.value };
  }

  /** Without versions that carry no label: those are deprecated, and not shown. */
  #describe(secret: StoredSecret): Answer {
    const labelled = [...secret.versions.values()].filter(({ stages }) => stages.length > 0);
    return {
      ...this.#naming(secret),
      LastChangedDate: secret.changedAt,
      ...(secret.deletedAt === null ? {} : { DeletedDate: secret.deletedAt }),
      ...(labelled.length === 0
        ? {}
        : { VersionIdsToStages: Object.fromEntries(labelled.map(({ id, stages }) => [id, stages])) }),
      Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })),
      ...secret.more,
    };
  }

  #delete(secret: StoredSecret, input: AwsInput): Answer {
    if (input['ForceDeleteWithoutRecovery'] === true) this.secrets.delete(secret.name);
    else secret.deletedAt = Date.UTC(2030, 0, 8) / 1_000;
    return this.#naming(secret);
  }

  #find(input: AwsInput): StoredSecret {
    const found = this.secrets.get(text(input, 'SecretId'));
    if (found === undefined) {
      throw new AwsRefusal('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    return found;
  }

  #writable(input: AwsInput): StoredSecret {
    const secret = this.#find(input);
    if (secret.deletedAt !== null) {
      throw new AwsRefusal(
        'InvalidRequestException',
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    }
    return secret;
  }

  #naming({ name }: StoredSecret): Answer {
    return { ARN: `arn:aws:secretsmanager:${this.#region}:${ACCOUNT}:secret:${name}-a1b2c3`, Name: name };
  }
}

function addVersion(secret: StoredSecret, input: AwsInput, stages: readonly string[]): Version {
  const id = text(input, 'ClientRequestToken');
  if (id.length < 32 || id.length > 64)
    throw new AwsRefusal('InvalidParameterException', 'ClientRequestToken must be 32-64 characters long.');
  const { SecretString, SecretBinary } = input as Version['value'];
  const bytes = Buffer.byteLength(SecretString ?? SecretBinary ?? '');
  if (bytes > MOST_BYTES) {
    throw new AwsRefusal(
      'ValidationException',
      `1 validation error detected: Value '${SecretString ?? ''}' at 'secretString' failed to satisfy constraint: Member must have length less than or equal to ${MOST_BYTES}`,
    );
  }
  const all = new Set([...secret.versions.values()].flatMap((version) => version.stages));
  if (new Set([...all, ...stages]).size > MOST_LABELS)
    throw new AwsRefusal('LimitExceededException', 'Too many staging labels.');
  const value = {
    ...(SecretString === undefined ? {} : { SecretString }),
    ...(SecretBinary === undefined ? {} : { SecretBinary }),
  };
  const version: Version = { id, value, stages: [] };
  secret.versions.set(id, version);
  for (const stage of stages) label(secret, stage, id);
  return version;
}

/** Puts a label on a version, or on none. With AWSCURRENT goes AWSPREVIOUS to the version that had it. */
function label(secret: StoredSecret, stage: string, to: string | null): void {
  const versions = [...secret.versions.values()];
  const holder = versions.find(({ stages }) => stages.includes(stage));
  if (holder?.id === to) return;
  const without = (stages: string[], gone: string): string[] => stages.filter((each) => each !== gone);
  for (const version of versions) version.stages = without(version.stages, stage);
  const target = to === null ? undefined : secret.versions.get(to);
  target?.stages.push(stage);
  if (stage !== 'AWSCURRENT' || holder === undefined) return;
  for (const version of versions) version.stages = without(version.stages, 'AWSPREVIOUS');
  holder.stages.push('AWSPREVIOUS');
}

function setTags(secret: StoredSecret, tags: readonly Tag[]): void {
  const after = new Map([...secret.tags, ...tags.map(({ Key, Value }) => [Key, Value] as const)]);
  const refuse = (why: string): never => {
    throw new AwsRefusal('InvalidParameterException', why);
  };
  for (const { Key, Value } of tags) {
    if (Key.length < 1 || Key.length > 128 || Value.length > 256) refuse('Invalid tag length.');
    if (!TAG_TEXT.test(Key) || !TAG_TEXT.test(Value)) refuse(`Invalid tag ${Key}: ${Value}`);
    if (/^aws:/i.test(Key) || /^aws:/i.test(Value)) refuse('Tags that start with aws: are reserved.');
  }
  if (after.size > MOST_TAGS) refuse('The number of tags exceeds 50.');
  secret.tags = after;
}

function tagsOf(input: AwsInput): readonly Tag[] {
  return (input['Tags'] as Tag[] | undefined) ?? [];
}

function sameValue(value: Version['value'], input: AwsInput): boolean {
  return value.SecretString === input['SecretString'] && value.SecretBinary === input['SecretBinary'];
}

function text(input: AwsInput, key: string): string {
  const value = input[key];
  if (typeof value !== 'string') throw new AwsRefusal('ValidationException', `${key} is missing.`);
  return value;
}
