import { VaultError } from '../../domain/errors.ts';
import type { RightReport } from '../../domain/rights.ts';
import type { EntryRef } from '../contract.ts';
import type { SecretsApi } from './api.ts';
import type { AwsOptions } from './options.ts';

/** Asked for where there is no entry yet whose rights are to be told. */
const ANY: EntryRef = { entry: 'rekeyd', options: {} };
const WRITES = [
  'CreateSecret',
  'PutSecretValue',
  'UpdateSecretVersionStage',
  'TagResource',
  'UntagResource',
  'RestoreSecret',
];

/** What `rekeyd check` says: reading is tried, without any value; writing cannot be tried without doing it. */
export async function reportRights(
  api: SecretsApi,
  options: Pick<AwsOptions, 'kmsKeyId' | 'replicaRegions'>,
  refs: readonly EntryRef[],
  signal?: AbortSignal,
): Promise<readonly RightReport[]> {
  const replicas = new Map<string, string[]>();
  const describe = await attempt(refs, async (entry) => {
    const found = await api.describe(entry, signal);
    if (found !== null && found.failedReplicas.length > 0) replicas.set(entry, [...found.failedReplicas]);
  });
  if (describe.unreached !== null) return [{ right: 'reached', status: 'missing', hint: describe.unreached }];
  const read = await attempt(refs, (entry) => api.mayRead(entry, signal));
  const needed = [...WRITES, ...(options.replicaRegions.length === 0 ? [] : ['ReplicateSecretToRegions'])];
  return [
    { right: 'reached', status: 'ok', hint: '' },
    describe.report('secretsmanager:DescribeSecret'),
    read.report('secretsmanager:GetSecretValue'),
    ...needed.map((action) => unknown(`secretsmanager:${action}`)),
    ...(options.kmsKeyId === null ? [] : [unknown('kms:Decrypt'), unknown('kms:GenerateDataKey')]),
    ...[...replicas].map(([entry, regions]): RightReport => {
      const hint = `AWS could not make the replica of '${entry}' in ${regions.join(', ')}: see its replication status there`;
      return { right: 'replicas', status: 'missing', hint };
    }),
  ];
}

interface Attempt {
  /** Why AWS did not answer; null: it did. */
  readonly unreached: string | null;
  report(right: string): RightReport;
}

/** Does something with every entry, until AWS does not answer. */
async function attempt(refs: readonly EntryRef[], work: (entry: string) => Promise<void>): Promise<Attempt> {
  const refusals: string[] = [];
  let unreached: string | null = null;
  for (const { entry } of refs.length === 0 ? [ANY] : refs) {
    try {
      await work(entry);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      if (error.fault === 'denied') refusals.push(error.message);
      else unreached = error.message;
    }
    if (unreached !== null) break;
  }
  return { unreached, report: (right) => reportOf(right, refs, refusals, unreached) };
}

function reportOf(
  right: string,
  refs: readonly EntryRef[],
  refusals: readonly string[],
  unreached: string | null,
): RightReport {
  const [first] = refusals;
  if (first === undefined && unreached === null) return { right, status: 'ok', hint: '' };
  if (first === undefined) return { right, status: 'unknown', hint: unreached ?? '' };
  // without an entry to ask for, a policy for some names refuses rightly
  if (refs.length === 0) return { right, status: 'unknown', hint: first };
  const more = refusals.length === 1 ? '' : ` (and ${refusals.length - 1} more entries)`;
  return { right, status: 'missing', hint: first + more };
}

function unknown(right: string): RightReport {
  const hint = 'not provable without writing; see config/policies/aws-secrets-manager.json';
  return { right, status: 'unknown', hint };
}
