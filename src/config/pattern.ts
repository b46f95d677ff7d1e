/** A compiled pattern of a rule's `match`. */
export interface Pattern {
  /** As it is written. */
  readonly source: string;
  /** Names of its captures, in order. */
  readonly captures: readonly string[];
  /** It has neither globs nor captures: it matches one text only. */
  readonly isLiteral: boolean;
  /**
   * Matches the whole of a text. It takes at most length of pattern times length of text steps, whatever they hold.
   * @returns what each capture took; null where the text does not match.
   */
  match(text: string): Readonly<Record<string, string>> | null;
}

const LONGEST = 512;
const TOKEN = /\{([A-Za-z][A-Za-z0-9_]*)\}|\*+|\?|[^]/gu;

/** A stretch between two gaps. `null` in it stands for any one character. */
type Stretch = readonly (string | null)[];

/** What may stand between two stretches: `*` any text, also none; a capture at least one character. */
interface Gap {
  readonly capture: string | null;
}

/**
 * Compiles a pattern: `*` any text, `?` any one character, `{name}` a text of at least one character, kept under that
 * name and as short as what follows it allows; everything else stands for itself.
 * @returns a message where the pattern cannot be used; it does not throw.
 */
export function compilePattern(source: string): Pattern | { readonly problem: string } {
  if (source.length > LONGEST) return { problem: `a pattern may have ${LONGEST} characters` };
  const stretches: (string | null)[][] = [[]];
  const gaps: Gap[] = [];
  const captures = new Set<string>();
  for (const [token, capture] of source.matchAll(TOKEN)) {
    if (capture !== undefined || token.startsWith('*')) {
      if (gaps.length > 0 && stretches.at(-1)?.length === 0) {
        return {
          problem: `nothing stands between ${token} and what is before it, so that it is unclear what each takes`,
        };
      }
      if (capture !== undefined && captures.has(capture)) return { problem: `{${capture}} is there twice` };
      if (capture !== undefined) captures.add(capture);
      gaps.push({ capture: capture ?? null });
      stretches.push([]);
    } else {
      stretches.at(-1)?.push(token === '?' ? null : token);
    }
  }
  const isLiteral = gaps.length === 0 && !source.includes('?');
  const head = source.slice(0, source.search(/[*?{]|$/));
  return {
    source,
    captures: [...captures],
    isLiteral,
    match: (text) => {
      // Most rules do not match most credentials: that is seen without taking the text apart.
      if (!text.startsWith(head) || (isLiteral && text !== source)) return null;
      return isLiteral ? {} : matchStretches(stretches, gaps, text);
    },
  };
}

/**
 * Puts each stretch at the first place where it fits. That is enough: an earlier place never leaves less room for the rest.
 * The last one is put at the end.
 */
function matchStretches(
  stretches: readonly Stretch[],
  gaps: readonly Gap[],
  text: string,
): Readonly<Record<string, string>> | null {
  const characters = Array.from(text);
  const [head = [], ...rest] = stretches;
  if (!fits(head, characters, 0)) return null;
  if (rest.length === 0) return head.length === characters.length ? {} : null;
  const found: [string, string][] = [];
  let at = head.length;
  for (const [index, stretch] of rest.entries()) {
    const capture = gaps[index]?.capture ?? null;
    const from = at + (capture === null ? 0 : 1);
    const isLast = index === rest.length - 1;
    const place = isLast ? lastPlace(stretch, characters, from) : firstPlace(stretch, characters, from);
    if (place === null) return null;
    if (capture !== null) found.push([capture, characters.slice(at, place).join('')]);
    at = place + stretch.length;
  }
  return Object.fromEntries(found);
}

function firstPlace(stretch: Stretch, characters: readonly string[], from: number): number | null {
  for (let place = from; place + stretch.length <= characters.length; place += 1) {
    if (fits(stretch, characters, place)) return place;
  }
  return null;
}

function lastPlace(stretch: Stretch, characters: readonly string[], from: number): number | null {
  const place = characters.length - stretch.length;
  return place >= from && fits(stretch, characters, place) ? place : null;
}

function fits(stretch: Stretch, characters: readonly string[], place: number): boolean {
  if (place + stretch.length > characters.length) return false;
  return stretch.every((expected, index) => expected === null || expected === characters[place + index]);
}
