import { printable } from '../telemetry/printable.ts';

/**
 * An aligned table, two spaces between columns, no trailing blanks, a newline at the end of each line. Cells are made
 * printable; an empty one is shown as `-`. Without rows, just the heading.
 */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [heading, ...rows.map((row) => row.map((cell) => (cell === '' ? '-' : printable(cell))))];
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => width(row[column] ?? ''))));
  return cells
    .map(
      (row) =>
        `${row
          .map((cell, column) => pad(cell, widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Lines of `name  value`, the names padded to one width. */
export function listing(pairs: readonly (readonly [string, string])[]): string {
  const widest = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(widest)}  ${printable(value)}`.trimEnd() + '\n').join('');
}

/** Made with the first table: it takes 20 ms, which a daemon and a health check can do without. */
let graphemes: Intl.Segmenter | null = null;

function width(text: string): number {
  graphemes ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(graphemes.segment(text)).length;
}

function pad(text: string, to: number): string {
  return text + ' '.repeat(Math.max(0, to - width(text)));
}
