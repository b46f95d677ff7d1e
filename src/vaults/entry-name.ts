const ENCODED = /%(?:2f|5c|2e|25|00)/i;
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * What no vault accepts in an entry name: nothing, `.` and `..` as a segment, empty segments, backslashes, separators in
 * percent-encoding, control characters, half a surrogate pair. A vault adds its own rules.
 * @returns why the name cannot be used, null where it can; it does not throw.
 */
export function entryNameProblem(name: string): string | null {
  if (name === '') return 'the name is empty';
  if (name !== name.trim()) return 'the name begins or ends with white space';
  if (CONTROL.test(name)) return 'the name holds a control character';
  if (!name.isWellFormed()) return 'the name is not well-formed Unicode';
  if (name.includes('\\')) return 'the name holds a backslash; separate its parts with /';
  if (ENCODED.test(name)) return 'the name holds a separator, a dot or a percent sign in percent-encoding';
  const segments = name.split('/');
  if (segments.includes('')) return 'the name has an empty part: no / at its begin or end, and no // in it';
  if (segments.some((segment) => segment === '.' || segment === '..')) return "the name has '.' or '..' as a part";
  return null;
}

/**
 * A file name that stands for an entry name, one to one: every byte but lower-case letters, digits, `_`, `-` and a dot
 * that is not the first is percent-encoded. Upper case is encoded too, so that names which differ in case stay apart on
 * a file system that does not tell case.
 */
export function encodeEntryName(name: string): string {
  let encoded = '';
  for (const byte of Buffer.from(name, 'utf8')) {
    const character = String.fromCharCode(byte);
    const plain = /[a-z0-9_-]/.test(character) || (character === '.' && encoded !== '');
    encoded += plain ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return encoded;
}
