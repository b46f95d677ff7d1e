/**
 * Characters that a terminal or a line-based tool may act on: C0 and C1 controls, DEL, the Unicode line separators, and the
 * marks that turn the direction of text (they make a line read as another one).
 */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text that is safe on a terminal and stays on its line: what could be acted on is written as `\u001b`. Everything else,
 * other scripts and emoji included, stays as it is. It does not throw.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

/** Whether {@link printable} would change `text`, or it holds half a surrogate pair. */
export function hasUnsafeCharacters(text: string): boolean {
  return text.search(UNSAFE) !== -1 || !text.isWellFormed();
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
