/** One tag, as the API has it. */
export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** Tags by key. */
export type Tags = ReadonlyMap<string, string>;

/**
 * What AWS allows in tags: 50 a secret (those of AWS itself not counted), keys of 128 characters, values of 256, letters,
 * digits, spaces and `_ . : / = + - @`. https://docs.aws.amazon.com/general/latest/gr/aws_tagging.html
 */
export const MOST_TAGS = 50;
const MOST_KEY = 128;
const MOST_VALUE = 256;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Stands for itself in a tag's text. Not `/`, which separates the parts of a mark, nor `=`, which escapes. */
const PLAIN = /^[A-Za-z0-9_.:@+-]$/;
const AWS_OWN = /^aws:/i;
/** At the end of a value: it goes on in the next tag. As the soft line break of quoted-printable, it is no escape. */
const GOES_ON = '=';

/** Prefix of all tags that rekeyd writes. */
export const OUR_PREFIX = 'rekeyd:';

/** Why a tag of the configuration cannot be used; null where it can. */
export function tagProblem(key: string, value: string): string | null {
  if (key === '' || key.length > MOST_KEY) return `a tag's key must have 1 to ${MOST_KEY} characters`;
  if (value.length > MOST_VALUE) return `a tag's value may have ${MOST_VALUE} characters at most`;
  if (!ALLOWED.test(key) || !ALLOWED.test(value)) {
    return 'a tag may hold letters, digits, spaces and _ . : / = + - @ only';
  }
  if (AWS_OWN.test(key) || AWS_OWN.test(value)) return "'aws:' at the beginning of a tag is AWS's own";
  if (key.startsWith(OUR_PREFIX)) return `'${OUR_PREFIX}' at the beginning of a tag is rekeyd's own`;
  return null;
}

/** Any text in the characters that a tag may have: the others as `=` and two hex digits a byte of UTF-8. */
export function encodeTagText(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(byte);
    encoded += PLAIN.test(character) ? character : escaped(byte);
  }
  return AWS_OWN.test(encoded) ? escaped(encoded.charCodeAt(0)) + encoded.slice(1) : encoded;
}

/** The inverse of {@link encodeTagText}; null where the text is not of that kind. */
export function decodeTagText(encoded: string): string | null {
  if (/=(?![0-9A-F]{2})/.test(encoded)) return null;
  const bytes = encoded
    .split(/(=[0-9A-F]{2})/)
    .map((part) => (part.startsWith('=') ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part, 'utf8')));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes));
  } catch {
    return null; // not UTF-8: somebody edited it
  }
}

/** A tag for an encoded text; one that is too long goes on in tags `KEY:2`, `KEY:3`, … */
export function toTags(key: string, encoded: string): Tag[] {
  const tags: Tag[] = [];
  let rest = encoded;
  while (rest.length > MOST_VALUE) {
    tags.push({ Key: partKey(key, tags.length), Value: rest.slice(0, MOST_VALUE - 1) + GOES_ON });
    rest = rest.slice(MOST_VALUE - 1);
  }
  return [...tags, { Key: partKey(key, tags.length), Value: rest }];
}

/** The inverse of {@link toTags}; null where a part is missing. */
export function fromTags(tags: Tags, key: string): string | null {
  let encoded = '';
  for (let part = 0; ; part += 1) {
    const value = tags.get(partKey(key, part));
    if (value === undefined) return null;
    if (!value.endsWith(GOES_ON)) return encoded + value;
    encoded += value.slice(0, -GOES_ON.length);
  }
}

/** How many of the 50 tags are taken by `tags` and `more` together. */
export function countTags(tags: Iterable<string>, more: Iterable<string> = []): number {
  return [...new Set([...tags, ...more])].filter((key) => !AWS_OWN.test(key)).length;
}

function partKey(key: string, part: number): string {
  return part === 0 ? key : `${key}:${part + 1}`;
}

function escaped(byte: number): string {
  return `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
