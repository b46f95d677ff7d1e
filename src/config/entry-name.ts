/** Longer names are refused for every vault; most have lower limits of their own. */
const LONGEST = 1024;

/**
 * Why a resolved entry name is refused whatever the vault (S5, S7); null where nothing is wrong with it. A name may come out
 * of a description that somebody at the issuer edits, so it must not be able to leave its folder.
 */
export function entryNameProblem(name: string): string | null {
  if (name.trim() === '') return 'it is empty';
  if (name.length > LONGEST) return `it has more than ${LONGEST} characters`;
  if (/\p{Cc}/u.test(name)) return 'it has control characters';
  if (/%(2f|5c|2e|00)/i.test(name)) return 'it has an encoded separator';
  if (name.split(/[/\\]/).some((part) => part === '.' || part === '..')) return "a part of it is '.' or '..'";
  return null;
}
