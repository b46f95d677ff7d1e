/**
 * What says where an item ends: a whole string is one token, so that what stands in it does not count. Each character can
 * be matched in one way only: a string without an end takes no more time for that.
 */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|["[\]{},]/gs;

/** What JSON has for white space; trim() takes more away. */
const SPACE = /^[ \t\n\r]*$/;

/** More than any item that the API promises. */
const LONGEST_ITEM = 1024 * 1024;

/**
 * Cuts the text of a JSON array into the texts of its items as it comes in, so that a long list is never in memory as a
 * whole. It looks only for where they end: whether an item is JSON is for who parses it to say.
 */
export class JsonArrayItems {
  readonly #take: (item: string) => void;
  #standing: 'before' | 'within' | 'after' | 'broken' = 'before';
  #isFirst = true;
  /** What came of the present item. */
  #rest = '';

  /** @param take is given each item, the white space around it included; an empty text where there is none. */
  constructor(take: (item: string) => void) {
    this.#take = take;
  }

  /** Whether it was one array to its end, and nothing else. */
  get isWhole(): boolean {
    return this.#standing === 'after';
  }

  write(part: string): void {
    if (this.#standing === 'broken') return;
    const text = this.#rest + part;
    this.#rest = '';
    let at = this.#standing === 'before' ? this.#begin(text) : 0;
    while (this.#standing === 'within') {
      const end = endOfItem(text, at);
      if (end === null) {
        this.#rest = text.slice(at);
        if (this.#rest.length > LONGEST_ITEM) this.#standing = 'broken';
        return;
      }
      if (text[end] === '}') this.#standing = 'broken';
      else this.#finish(text.slice(at, end), text[end] === ']');
      at = end + 1;
    }
    if (this.#standing === 'after' && !SPACE.test(text.slice(at))) this.#standing = 'broken';
  }

  /** @returns where the first item begins. */
  #begin(text: string): number {
    const start = text.search(/[^ \t\n\r]/);
    if (start === -1) return 0;
    this.#standing = text[start] === '[' ? 'within' : 'broken';
    return start + 1;
  }

  #finish(item: string, isLast: boolean): void {
    const isEmptyArray = isLast && this.#isFirst && SPACE.test(item);
    this.#isFirst = false;
    if (isLast) this.#standing = 'after';
    if (!isEmptyArray) this.#take(item);
  }
}

/**
 * The place of the comma or bracket that ends the item which begins at `from`, or of a brace there that nothing opened; null:
 * it has not come yet.
 */
function endOfItem(text: string, from: number): number | null {
  let depth = 0;
  TOKEN.lastIndex = from;
  for (let found = TOKEN.exec(text); found !== null; found = TOKEN.exec(text)) {
    const [token] = found;
    // the end of the string has not come yet
    if (token === '"') return null;
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') {
      if (depth === 0) return found.index;
      depth -= 1;
    } else if (token === ',' && depth === 0) return found.index;
  }
  return null;
}
