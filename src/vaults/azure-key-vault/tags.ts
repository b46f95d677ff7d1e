import type { Mark } from '../../domain/mark.ts';
import type { Payload } from '../../domain/payload.ts';
import type { SecretValue } from '../../domain/secret-value.ts';
import { fingerprint } from '../fingerprint.ts';
import { MARK_FIELDS, markFromFields, markToFields } from '../mark-fields.ts';

/** The tags of one version of a secret. */
export type Tags = Readonly<Record<string, string>>;

const PREFIX = 'rekeyd-';
const BINDING = `${PREFIX}binding`;
const OURS: ReadonlySet<string> = new Set([...MARK_FIELDS.map((field) => PREFIX + field), BINDING]);
const MOST_TAGS = 15;
/** Microsoft's pages name 256 in some places and 512 in others. */
const MOST_CHARACTERS = 256;

/** A mark's tags, its binding included, beside the tags of others. */
export function withMark(tags: Tags, payload: Payload, mark: Mark): Tags {
  const others = Object.entries(tags).filter(([name]) => !OURS.has(name));
  const fields = Object.entries(markToFields(mark)).map(([field, text]) => [PREFIX + field, text] as const);
  return Object.fromEntries([...others, ...fields, [BINDING, fingerprint(payload, mark)]]);
}

/** Why there is no room for rekeyd's tags beside those of others; null where there is. */
export function roomProblem(tags: Tags): string | null {
  const others = Object.keys(tags).filter((name) => !OURS.has(name)).length;
  const most = MOST_TAGS - OURS.size;
  return others <= most
    ? null
    : `it has ${others} tags of others, and beside rekeyd's ${OURS.size} only ${most} have room: take some off`;
}

/** Why Key Vault would not hold a tag of ours; null where it would hold each. */
export function tagProblem(tags: Tags): string | null {
  const long = Object.entries(tags).find(([name, text]) => OURS.has(name) && text.length > MOST_CHARACTERS);
  return long === undefined ? null : `its tag ${long[0]} would have more than ${MOST_CHARACTERS} characters`;
}

/** The mark in a version's tags; null where there is none, or not the whole of one. */
export function markIn(tags: Tags): Mark | null {
  const fields = Object.entries(tags).flatMap(([name, text]) =>
    name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), text] as const] : [],
  );
  return markFromFields(Object.fromEntries(fields));
}

/**
 * The form of the payload for which the binding holds; null where it holds for none. The content type may be edited by
 * anybody, so it is not asked.
 */
export function provenForm(tags: Tags, mark: Mark, content: SecretValue): Payload['form'] | null {
  const forms = ['fields', 'opaque'] as const;
  return forms.find((form) => fingerprint({ form, content }, mark) === tags[BINDING]) ?? null;
}
