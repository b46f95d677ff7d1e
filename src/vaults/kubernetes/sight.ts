import type { Mark } from '../../domain/mark.ts';
import type { Payload } from '../../domain/payload.ts';
import type { EntryDescription } from '../contract.ts';
import { fingerprint } from '../fingerprint.ts';
import { fromMetadata } from './mark-metadata.ts';
import type { Metadata } from './mark-metadata.ts';
import type { SecretPlace } from './names.ts';
import { dataOf, isSurelyMutable, keysWrittenByUs, lockOf, revisionOf } from './secret-object.ts';
import type { ObjectMetadata, SecretObject } from './secret-object.ts';
import { inferLayout, takeUp, versionOf } from './stored-payload.ts';
import type { Layout } from './stored-payload.ts';

/** What a look at a whole Secret tells. */
export interface Sight {
  readonly metadata: ObjectMetadata;
  readonly version: string;
  /** Null: the API server does not tell. */
  readonly revision: string | null;
  readonly mark: Mark | null;
  /** The keys that our own mark names; none without one. */
  readonly markedKeys: readonly string[];
  readonly layout: Layout | null;
  /** Null: there is no value. */
  readonly payload: Payload | null;
  /** The mark describes the value, to the letter. */
  readonly bound: boolean;
  readonly locked: string | null;
}

/** Reads a Secret. It does not throw. */
export function seeSecret(secret: SecretObject, place: SecretPlace): Sight {
  const marked = fromMetadata(secret.metadata);
  const layout = marked?.layout ?? inferLayout(secret);
  const payload = layout === null ? null : takeUp(secret, layout);
  const version = versionOf(dataOf(secret), layout?.keys ?? [], place);
  // The version tells of an edited value, the fingerprint also of an edited mark.
  const described = marked !== null && marked.version === version && payload !== null;
  return {
    metadata: secret.metadata,
    version,
    revision: revisionOf(secret.metadata, layout?.keys ?? []),
    mark: marked?.mark ?? null,
    markedKeys: marked?.layout.keys ?? [],
    layout,
    payload,
    bound: described && fingerprint(payload, marked.mark) === marked.fingerprint,
    locked: lockOf(secret.metadata, secret.immutable === true),
  };
}

export function describeSight({ version, revision, mark, bound, locked }: Sight): Present {
  const binding = bound ? 'bound' : 'broken';
  return seen({ version, revision, mark, binding, locked });
}

/**
 * What metadata alone says of a Secret, where that is enough: a whole mark, all its keys written last by rekeyd, and nobody
 * who made it immutable. Null: only a look at the values tells. The version is the one that the mark claims; every write
 * proves it.
 */
export function describeMetadata(metadata: ObjectMetadata): EntryDescription | null {
  const marked = fromMetadata(metadata);
  if (marked === null || !isSurelyMutable(metadata)) return null;
  const ours = keysWrittenByUs(metadata);
  if (!marked.layout.keys.every((key) => ours.has(key))) return null;
  const { version, mark, layout } = marked;
  const revision = revisionOf(metadata, layout.keys);
  return seen({ version, revision, mark, binding: 'unproven', locked: lockOf(metadata, false) });
}

type Present = Extract<EntryDescription, { state: 'present' }>;

function seen({
  version,
  revision,
  mark,
  binding,
  locked,
}: Pick<Sight, 'version' | 'revision' | 'mark' | 'locked'> & Pick<Present, 'binding'>): Present {
  return {
    state: 'present',
    version,
    ...(revision === null ? {} : { revision }),
    mark,
    binding,
    ...(locked === null ? {} : { locked }),
  };
}

/**
 * Whether a delivery with these labels and annotations would change nothing (V16): among them is the fingerprint, and that
 * of a bound mark is the value's.
 */
export function isAsDelivered({ metadata, bound }: Sight, { labels, annotations }: Metadata): boolean {
  return bound && includes(metadata.labels ?? {}, labels) && includes(metadata.annotations ?? {}, annotations);
}

function includes(all: Readonly<Record<string, string>>, some: Readonly<Record<string, string>>): boolean {
  return Object.entries(some).every(([key, value]) => all[key] === value);
}
