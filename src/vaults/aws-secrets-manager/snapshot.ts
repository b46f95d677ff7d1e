import type { DescribeSecretResponse } from '@aws-sdk/client-secrets-manager';
import { roomProblem } from './mark-tags.ts';
import type { Tags } from './tag-text.ts';

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

/** The version of a secret in which there is no value: what compare-and-set expects. */
const NO_VALUE = 'no-value';

/** A secret as DescribeSecret shows it: all but the value. */
export interface Snapshot {
  /** What compare-and-set expects. */
  readonly version: string;
  /**
   * When anything of it was changed last: a stage that is moved back and forth leaves no other trace. Undefined: emulators may
   * not tell. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
   */
  readonly revision: string | undefined;
  /** The ids of the versions that carry AWSCURRENT: one; none: there is no value. Emulators may have several. */
  readonly current: readonly string[];
  readonly previous: string | null;
  readonly tags: Tags;
  /** When it was, or is to be, deleted; null: it is not scheduled for deletion. */
  readonly deletion: Date | null;
  /** Why it cannot be written, whoever tries; null: it can. */
  readonly locked: string | null;
  /** Regions in which there is no replica although there should be. */
  readonly failedReplicas: readonly string[];
}

/** Reads the answer of DescribeSecret. @param region the one that was asked */
export function snapshotOf(answer: DescribeSecretResponse, region: string): Snapshot {
  const stages = Object.entries(answer.VersionIdsToStages ?? {});
  const carrying = (stage: string): string[] => stages.filter(([, all]) => all.includes(stage)).map(([id]) => id);
  const current = carrying(CURRENT);
  const tags = new Map((answer.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
  return {
    version: current.length === 0 ? NO_VALUE : current.join('+'),
    revision: answer.LastChangedDate?.toISOString(),
    current,
    previous: carrying(PREVIOUS)[0] ?? null,
    tags,
    deletion: answer.DeletedDate ?? null,
    locked: lockOf(answer, region) ?? roomProblem(tags),
    failedReplicas: (answer.ReplicationStatus ?? [])
      .filter(({ Status }) => Status === 'Failed')
      .map(({ Region }) => Region ?? 'unknown'),
  };
}

function lockOf(answer: DescribeSecretResponse, region: string): string | null {
  if (answer.OwningService !== undefined && answer.OwningService !== '') {
    return `it belongs to the AWS service '${answer.OwningService}', which alone may write it: choose another name`;
  }
  if (answer.PrimaryRegion !== undefined && answer.PrimaryRegion !== '' && answer.PrimaryRegion !== region) {
    return `it is a replica: set the vault's region to that of the primary secret, ${answer.PrimaryRegion}`;
  }
  if (answer.RotationEnabled === true) {
    return "AWS rotates it by itself, and would change what rekeyd delivers: cancel the secret's rotation in AWS";
  }
  return null;
}
