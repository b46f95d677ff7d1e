import type { Mark } from '../../domain/mark.ts';
import type { Payload } from '../../domain/payload.ts';
import type { SecretValue } from '../../domain/secret-value.ts';
import { ABSENT } from '../contract.ts';
import type { EntryContent, EntryDescription } from '../contract.ts';
import { fits, readAnnotations, roomProblem, withLine } from './annotations.ts';
import type { Line, OwnAnnotations, VersionLine } from './annotations.ts';
import type { StoredSecret } from './answers.ts';
import type { SecretManagerApi } from './api.ts';

/** An entry as it was found: a secret, and the version that `latest` means. */
export interface Found {
  readonly secret: StoredSecret;
  readonly own: OwnAnnotations;
  /** Of that version; 0: the secret never had one. */
  readonly number: number;
  readonly value:
    | { readonly state: 'there'; readonly content: SecretValue }
    /** Disabled, destroyed, empty, or no text. */
    | { readonly state: 'missing' }
    | { readonly state: 'unread' };
}

type Latest = Pick<Found, 'number' | 'value'>;

/**
 * Looks at an entry. `latest` is the version that was created last, whatever its state: where that one is disabled or
 * destroyed, consumers get an error, not the version before it. The etag is never newer than what was read of the versions,
 * so that a write under it meets a conflict where anybody of us wrote in between. @throws VaultError
 */
export async function look(
  api: SecretManagerApi,
  entry: string,
  { value }: { readonly value: boolean },
  signal?: AbortSignal,
): Promise<Found | null> {
  const secret = await api.getSecret(entry, signal);
  if (secret === null) return null;
  const newest = readAnnotations(secret.annotations).lines.at(-1)?.number ?? 0;
  const versionNamed = value ? access : describeVersion;
  let latest = await versionNamed(api, entry, 'latest', signal);
  // Numbers are never given twice, so `latest` cannot be older than a version that has a line: its answer lags behind.
  // Reading by number does not.
  if ((latest?.number ?? 0) < newest) latest = (await versionNamed(api, entry, newest, signal)) ?? latest;
  if (latest === null) {
    const first = await api.version(entry, 1, signal);
    return foundAt(secret, { number: first === null ? 0 : 1, value: MISSING });
  }
  const found = foundAt(secret, latest);
  if (latest.value.state !== 'there' || standing(found).binding === 'bound') return found;
  // Perhaps it was added, and bound, since the annotations were read.
  const again = await api.getSecret(entry, signal);
  return again === null ? null : foundAt({ ...again, etag: secret.etag }, latest);
}

function foundAt(secret: StoredSecret, latest: Latest): Found {
  return { secret, own: readAnnotations(secret.annotations), ...latest };
}

/** Null: there is no such version. */
async function access(
  api: SecretManagerApi,
  entry: string,
  which: number | 'latest',
  signal: AbortSignal | undefined,
): Promise<Latest | null> {
  const accessed = await api.access(entry, which, signal);
  switch (accessed.state) {
    case 'none':
      return null;
    case 'value': {
      const { number, content } = accessed;
      return { number, value: content === null ? MISSING : { state: 'there', content } };
    }
    case 'unreadable': {
      const version = await api.version(entry, which, signal);
      if (version?.enabled !== true) return version === null ? null : { number: version.number, value: MISSING };
      const why = `version ${version.number} is enabled and cannot be read: may its KMS key be used?`;
      throw api.error('unavailable', entry, why);
    }
  }
}

/** Null: there is no such version. */
async function describeVersion(
  api: SecretManagerApi,
  entry: string,
  which: number | 'latest',
  signal: AbortSignal | undefined,
): Promise<Latest | null> {
  const version = await api.version(entry, which, signal);
  return version === null ? null : { number: version.number, value: version.enabled ? { state: 'unread' } : MISSING };
}

const MISSING = { state: 'missing' } as const;

/** What compare-and-set compares: the version, and when its secret was made. A secret without any version holds no entry. */
export function versionOf(found: Pick<Found, 'secret' | 'number'> | null): string {
  return found === null || found.number === 0 ? ABSENT : `${found.number}@${found.secret.createdAt}`;
}

/**
 * The line of the version that was found, and whether it describes its value. A version without a line of its own has that
 * of an equal value: it was added and not bound yet, or an older value was added again by hand.
 */
export function standing({ own, number, value }: Found): {
  readonly line: Line | null;
  readonly binding: 'bound' | 'broken' | 'unproven';
} {
  const exact = own.lines.find((line) => line.number === number) ?? null;
  const newest = own.lines.at(-1) ?? own.claim;
  switch (value.state) {
    case 'missing':
      return { line: exact ?? newest, binding: 'broken' };
    case 'unread':
      return { line: exact ?? newest, binding: (exact ?? newest) === null ? 'broken' : 'unproven' };
    case 'there': {
      if (exact !== null) return { line: exact, binding: fits(exact, value.content) ? 'bound' : 'broken' };
      const equal = equalLine(own, value.content);
      return equal === null ? { line: newest, binding: 'broken' } : { line: equal, binding: 'bound' };
    }
  }
}

/** The line of a value, whatever its version; what was claimed last, first. */
export function equalLine(own: OwnAnnotations, content: SecretValue): Line | null {
  const lines: readonly Line[] = own.claim === null ? own.lines : [...own.lines, own.claim];
  return lines.findLast((line) => fits(line, content)) ?? null;
}

/** The lines, with one for the version that is there where it had none of its own: its mark outlives the next claim. */
export function settledLines({ own, number, value }: Found): readonly VersionLine[] {
  if (value.state !== 'there' || own.lines.some((line) => line.number === number)) return own.lines;
  const equal = equalLine(own, value.content);
  if (equal === null) return own.lines;
  const { mark, form, fingerprint } = equal;
  return withLine(own.lines, { mark, form, fingerprint, number });
}

export function describeFound(found: Found | null): EntryDescription {
  if (found === null || found.number === 0) return { state: 'absent' };
  const { line, binding } = standing(found);
  const mark: Mark | null = line?.mark ?? null;
  const lock = roomProblem(found.secret.annotations);
  return { state: 'present', version: versionOf(found), mark, binding, ...(lock === null ? {} : { locked: lock }) };
}

export function contentOf(found: Found | null): EntryContent {
  const seen = describeFound(found);
  if (found === null || seen.state === 'absent') return { state: 'absent' };
  const { value } = found;
  if (value.state !== 'there') return { ...seen, payload: null };
  const payload: Payload = { form: standing(found).line?.form ?? 'opaque', content: value.content };
  return { ...seen, payload };
}
