import { createHash } from 'node:crypto';
import type { Mark } from '../../domain/mark.ts';
import type { Payload } from '../../domain/payload.ts';
import { HOUR } from '../../domain/time.ts';
import { MARK_FIELDS, markFromFields, markToFields } from '../mark-fields.ts';
import { countTags, decodeTagText, encodeTagText, fromTags, MOST_TAGS, OUR_PREFIX, toTags } from './tag-text.ts';
import type { Tag, Tags } from './tag-text.ts';

/** In front of a version's id: the mark of that version, which is how a mark is bound to its value. */
const VERSION_PREFIX = `${OUR_PREFIX}version:`;

/** Marks of versions that are neither current nor previous are kept this long, and this many: others may be on their way. */
const IN_FLIGHT = HOUR;
const MOST_IN_FLIGHT = 10;
/** Tags that a secret has in calm times and while one delivery is under way: the fields, and three versions' marks. */
const OUR_TAGS = MARK_FIELDS.length + 3;
/** Tags of others that leave room for them. */
export const MOST_OTHERS = MOST_TAGS - OUR_TAGS;

/** What is known of one version. */
export interface VersionMark {
  readonly mark: Mark;
  readonly form: Payload['form'];
}

/** One tag a field, for people, searches and policies: the mark of what was delivered last. Bound to nothing. */
export function fieldTags(mark: Mark): Tag[] {
  const fields = markToFields(mark);
  return MARK_FIELDS.flatMap((field) => toTags(OUR_PREFIX + field, encodeTagText(fields[field])));
}

/** The mark that {@link fieldTags} wrote; null where a part of it is missing. */
export function readFields(tags: Tags): Mark | null {
  const fields = MARK_FIELDS.map((field) => [field, decoded(fromTags(tags, OUR_PREFIX + field))] as const);
  return markFromFields(Object.fromEntries(fields));
}

/** The whole mark of one version in a tag of its own, so that writers who meet do not overwrite each other's. */
export function versionTags(versionId: string, { mark, form }: VersionMark): Tag[] {
  const fields = markToFields(mark);
  const parts = [...MARK_FIELDS.map((field) => encodeTagText(fields[field])), form];
  return toTags(versionKey(versionId), parts.join('/'));
}

/** The mark that {@link versionTags} wrote for a version; null: none. */
export function readVersion(tags: Tags, versionId: string): VersionMark | null {
  return parseVersion(fromTags(tags, versionKey(versionId)));
}

/**
 * Keys of marks that no version needs any more. Those of `needed` stay, and those of the last hour: they may be of a
 * writer who announced his version and has not put it yet.
 * @param now when the newest mark was delivered, by the clock of whoever wrote it
 */
export function staleKeys(tags: Tags, needed: readonly string[], now: number): string[] {
  const kept = needed.map(versionKey);
  const bases = [...tags.keys()].filter(
    (key) => key.startsWith(VERSION_PREFIX) && !key.slice(VERSION_PREFIX.length).includes(':'),
  );
  const spare = bases
    .filter((key) => !kept.includes(key))
    .map((key) => ({ key, at: parseVersion(fromTags(tags, key))?.mark.deliveredAt ?? -Infinity }))
    .sort((a, b) => b.at - a.at);
  const stale = spare.filter(({ at }, index) => index >= MOST_IN_FLIGHT || at < now - IN_FLIGHT).map(({ key }) => key);
  return [...tags.keys()].filter((key) => stale.some((base) => key === base || key.startsWith(`${base}:`)));
}

/** Why there is no room for rekeyd's tags beside those of others; null where there is. */
export function roomProblem(tags: Tags): string | null {
  const others = countTags([...tags.keys()].filter((key) => !key.startsWith(OUR_PREFIX)));
  return others <= MOST_OTHERS
    ? null
    : `it has ${others} tags of others, and only ${MOST_OTHERS} of the ${MOST_TAGS} that AWS allows leave room for rekeyd's: remove some`;
}

function versionKey(versionId: string): string {
  // whoever puts a version chooses its id: 32 to 64 characters of any kind
  const fits = /^[A-Za-z0-9-]{1,64}$/.test(versionId);
  return VERSION_PREFIX + (fits ? versionId : createHash('sha256').update(versionId).digest('hex'));
}

function parseVersion(encoded: string | null): VersionMark | null {
  if (encoded === null) return null;
  const parts = encoded.split('/');
  const form = parts.pop();
  if (parts.length !== MARK_FIELDS.length || (form !== 'fields' && form !== 'opaque')) return null;
  const mark = markFromFields(Object.fromEntries(MARK_FIELDS.map((field, index) => [field, decoded(parts[index])])));
  return mark === null ? null : { mark, form };
}

function decoded(encoded: string | null | undefined): string | null {
  return encoded === null || encoded === undefined ? null : decodeTagText(encoded);
}
