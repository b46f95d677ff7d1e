import { parseJson } from '../domain/json.ts';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import type { Ids } from '../domain/ports.ts';
import type { SecretValue } from '../domain/secret-value.ts';
import { readBounded, syncFolder, tidyTemporaries, writeTemporary } from './durable-file.ts';
import { encodeEntryName } from './entry-name.ts';
import { fingerprint, valueVersion } from './fingerprint.ts';
import { markFromFields, markToFields } from './mark-fields.ts';
import { isNotFound } from './system-error.ts';

/** How many marks are kept: the one for what is there, the one on its way, and some that others may be bringing. */
const KEPT = 4;

/** Hidden, 0700, in the vault's folder: the marks of all entries. */
export const SIDECAR_FOLDER = '.rekeyd';

const MOST_BYTES = 65_536;
const PREFIX = 'rekeyd-';
const UNMARKED = 'unmarked';

const sidecarSchema = z.object({
  format: z.literal(1),
  marks: z.array(
    z.object({
      mark: z.record(z.string(), z.string()).nullish(),
      form: z.enum(['fields', 'opaque']),
      fingerprint: z.string(),
    }),
  ),
});

/** One line of a sidecar: a mark and what content it is for. `mark` null: that content was there before us. */
export interface SidecarMark {
  readonly mark: Mark | null;
  readonly form: Payload['form'];
  readonly fingerprint: string;
}

/**
 * What marks are written beside an entry, newest last; null: none. There are several, so that whichever content a crash,
 * another process or a person's roll-back leaves has its mark.
 * @throws the system's error, or RangeError where the sidecar cannot be read.
 */
export async function readSidecar(root: string, entry: string): Promise<readonly SidecarMark[] | null> {
  let text: string;
  try {
    text = await readBounded(sidecarPath(root, entry), MOST_BYTES);
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
  const parsed = sidecarSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new RangeError(`'${sidecarPath(root, entry)}' holds no marks`);
  if (parsed.data.marks.length === 0) return null;
  return parsed.data.marks.map(({ mark, form, fingerprint: print }) => ({
    mark: markFromFields(withoutPrefix(mark ?? {})),
    form,
    fingerprint: print,
  }));
}

/** Replaces the marks of an entry, and brings them to the disk. @throws the system's error. */
export async function writeSidecar(
  root: string,
  entry: string,
  marks: readonly SidecarMark[],
  ids: Ids,
): Promise<void> {
  const document: z.input<typeof sidecarSchema> = {
    format: 1,
    marks: marks.map(({ mark, form, fingerprint: print }) => ({
      mark: mark === null ? null : withPrefix(mark),
      form,
      fingerprint: print,
    })),
  };
  const folder = join(root, SIDECAR_FOLDER);
  const temporary = await writeTemporary(folder, `${JSON.stringify(document, null, 2)}\n`, ids);
  try {
    const mine = await stat(temporary);
    await rename(temporary, sidecarPath(root, entry));
    await syncFolder(folder);
    await tidyTemporaries(folder, mine);
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * The lines to write before a new content is put in place: those of before, `current` (the line for the content that is
 * there) next to last, the new one last.
 */
export function withNewMark(
  before: readonly SidecarMark[],
  current: SidecarMark | null,
  next: SidecarMark,
): readonly SidecarMark[] {
  const others = before.filter(
    (line) => line.fingerprint !== current?.fingerprint && line.fingerprint !== next.fingerprint,
  );
  return [...others, ...(current === null ? [] : [current]), next].slice(-KEPT);
}

/** The line of a new mark for a payload. */
export function sidecarMark(payload: Payload, mark: Mark): SidecarMark {
  return { mark, form: payload.form, fingerprint: fingerprint(payload, mark) };
}

/** The line of a content that was there before us. */
export function unmarked(content: SecretValue): SidecarMark {
  const payload: Payload = { form: 'opaque', content };
  return { mark: null, form: 'opaque', fingerprint: valueVersion(payload, UNMARKED) };
}

/** The newest line that is for this content; null: none, the content was changed from outside. */
export function fitting(marks: readonly SidecarMark[], content: SecretValue): SidecarMark | null {
  const fits = ({ mark, form, fingerprint: print }: SidecarMark): boolean =>
    print === (mark === null ? unmarked(content).fingerprint : fingerprint({ form, content }, mark));
  return marks.findLast(fits) ?? null;
}

function sidecarPath(root: string, entry: string): string {
  return join(root, SIDECAR_FOLDER, `${encodeEntryName(entry)}.json`);
}

function withPrefix(mark: Mark): Record<string, string> {
  return Object.fromEntries(Object.entries(markToFields(mark)).map(([key, field]) => [`${PREFIX}${key}`, field]));
}

function withoutPrefix(fields: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(fields).filter(([key]) => key.startsWith(PREFIX));
  return Object.fromEntries(own.map(([key, field]) => [key.slice(PREFIX.length), field]));
}
