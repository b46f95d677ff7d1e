import { placeholdersIn } from '../domain/payload.ts';
import { DEFAULT_FORMAT } from '../domain/payload.ts';
import type { Format } from '../domain/payload.ts';
import { UNNAMED_PROBLEM, placeholderProblems } from './placeholders.ts';
import type { Captures } from './placeholders.ts';
import type { TreeReport } from './report.ts';
import type { Path } from './tree.ts';

export interface WrittenFormat {
  readonly format: 'json' | 'value' | 'text';
  readonly fields: Readonly<Record<string, string>> | undefined;
  readonly template: string | undefined;
}

/**
 * Makes the format of a destination, and checks it: what goes with what, its placeholders, that it holds the secret at all
 * (what holds none could never be proven), and that what is fixed of it fits the vault.
 * @param maxBytes the most that the vault takes; null where that is not known.
 * @returns undefined where it cannot be used, which is reported.
 */
export function readFormat(
  written: WrittenFormat,
  captures: Captures,
  maxBytes: number | null,
  path: Path,
  report: TreeReport,
): Format | undefined {
  const format = combined(written, path, report);
  if (format === undefined) return undefined;
  const texts = textsOf(format);
  let sound = true;
  for (const { key, text } of texts) {
    for (const problem of placeholderProblems(text, 'payload', captures)) {
      sound = false;
      report.part([...path, ...key], problem, UNNAMED_PROBLEM);
    }
  }
  const place = format.kind === 'text' ? [...path, 'template'] : [...path, 'fields'];
  if (texts.length > 0 && !texts.some(({ text }) => placeholdersIn(text).includes('clientSecret'))) {
    sound = false;
    report.value(place, 'does not hold {clientSecret}: such an entry could not be proven');
  }
  const size = fixedBytes(format);
  if (maxBytes !== null && size > maxBytes) {
    sound = false;
    report.value(place, `has ${size} bytes before anything is filled in; this vault takes ${maxBytes}`);
  }
  return sound ? format : undefined;
}

function combined(written: WrittenFormat, path: Path, report: TreeReport): Format | undefined {
  const { format, fields, template } = written;
  if (fields !== undefined && format !== 'json') {
    report.key([...path, 'fields'], `goes with format json, not ${format}`);
    return undefined;
  }
  if (template !== undefined && format !== 'text') {
    report.key([...path, 'template'], `goes with format text, not ${format}`);
    return undefined;
  }
  switch (format) {
    case 'value':
      return { kind: 'value' };
    case 'json':
      return fields === undefined ? DEFAULT_FORMAT : { kind: 'fields', fields };
    case 'text':
      if (template !== undefined) return { kind: 'text', template };
      report.value([...path, 'format'], 'format text needs a template');
      return undefined;
  }
}

function textsOf(format: Format): { key: Path; text: string }[] {
  switch (format.kind) {
    case 'value':
      return [];
    case 'text':
      return [{ key: ['template'], text: format.template }];
    case 'fields':
      return Object.entries(format.fields).map(([key, text]) => ({ key: ['fields', key], text }));
  }
}

/** Bytes of what is the same for every credential. */
function fixedBytes(format: Format): number {
  const bytes = (text: string) => Buffer.byteLength(text.replace(/\{[A-Za-z][A-Za-z0-9_]*\}/g, ''), 'utf8');
  return textsOf(format).reduce(
    (sum, { key, text }) => sum + bytes(text) + (format.kind === 'fields' ? Buffer.byteLength(String(key[1])) + 6 : 0),
    0,
  );
}
