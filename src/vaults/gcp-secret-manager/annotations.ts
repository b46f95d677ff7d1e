import { parseJson } from '../../domain/json.ts';
import { z } from 'zod';
import type { Mark } from '../../domain/mark.ts';
import type { Payload } from '../../domain/payload.ts';
import type { SecretValue } from '../../domain/secret-value.ts';
import type { Instant } from '../../domain/time.ts';
import { fingerprint } from '../fingerprint.ts';
import { markFromFields, markToFields, sameMark } from '../mark-fields.ts';

/** A mark, and the value that it is for, by a fingerprint. */
export interface Line {
  readonly mark: Mark;
  readonly form: Payload['form'];
  readonly fingerprint: string;
}

/** The line of one version. */
export interface VersionLine extends Line {
  readonly number: number;
}

/** What somebody is about to add: written before the version, since adding one knows no compare-and-set. */
export interface Claim extends Line {
  /** Of one delivery. */
  readonly id: string;
  readonly at: Instant;
}

/** What rekeyd keeps in the annotations of a secret. */
export interface OwnAnnotations {
  /** By number; the last ones are kept. */
  readonly lines: readonly VersionLine[];
  readonly claim: Claim | null;
}

export type Annotations = Readonly<Record<string, string>>;

/** The line of what is there, of what was there before, and some that a roll-back may bring. */
const KEPT = 4;
/** Keys and values together, all tools': https://docs.cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets */
const MOST_BYTES = 16_384;
const CLAIM = 'rekeyd-claim';
/** Stands for a mark that is yet to come: longer than is usual. */
const SOMEBODYS: Line = {
  mark: {
    instance: 'i'.repeat(32),
    issuer: 'i'.repeat(32),
    credential: 'c'.repeat(128),
    generation: 1,
    secretId: 's'.repeat(36),
    deliveredAt: 0,
  },
  form: 'opaque',
  fingerprint: 'f'.repeat(64),
};
const LINE = /^rekeyd-mark-([1-9]\d{0,14})$/;

const lineSchema = z.object({ form: z.enum(['fields', 'opaque']), fingerprint: z.string().min(1) });
const claimSchema = z.object({ 'claim-id': z.string().min(1), 'claimed-at': z.number() });

/** Reads what is ours out of a secret's annotations; what cannot be read is as if it were not there. */
export function readAnnotations(all: Annotations): OwnAnnotations {
  const lines = Object.entries(all).flatMap(([key, text]): VersionLine[] => {
    const number = LINE.exec(key)?.[1];
    const line = number === undefined ? null : readLine(parseJson(text));
    return line === null ? [] : [{ ...line, number: Number(number) }];
  });
  const raw = parseJson(Object.hasOwn(all, CLAIM) ? (all[CLAIM] ?? null) : null);
  const line = readLine(raw);
  const claim = claimSchema.safeParse(raw);
  return {
    lines: lines.sort((a, b) => a.number - b.number),
    claim:
      line === null || !claim.success ? null : { ...line, id: claim.data['claim-id'], at: claim.data['claimed-at'] },
  };
}

/**
 * The annotations to write: those of others as they are, ours replaced. Where there is no room for all lines, the oldest go.
 * @returns null where there is no room for the newest line either.
 */
export function writeAnnotations(all: Annotations, own: OwnAnnotations): Annotations | null {
  const others = Object.entries(all).filter(([key]) => key !== CLAIM && !LINE.test(key));
  const claim = own.claim === null ? [] : [[CLAIM, claimText(own.claim)]];
  for (let kept = own.lines.slice(-KEPT); ; kept = kept.slice(1)) {
    const lines = kept.map((line) => [`rekeyd-mark-${line.number}`, JSON.stringify(lineFields(line))]);
    const entries = [...others, ...lines, ...claim];
    // 'less than', and a little less than that: how the service counts is its own matter
    if (Buffer.byteLength(entries.flat().join('')) < MOST_BYTES - 64) {
      return Object.fromEntries(entries) as Record<string, string>;
    }
    if (kept.length <= 1) return null;
  }
}

/** Why there is no room for a delivery beside the annotations of others; null where there is. */
export function roomProblem(all: Annotations): string | null {
  const own = readAnnotations(all);
  const newest = own.lines.at(-1) ?? { ...(own.claim ?? SOMEBODYS), number: 1 };
  // The least that a delivery writes at once. What comes may have more digits than what is there.
  const least = { lines: [newest], claim: { ...newest, id: 'i'.repeat(64), at: Number.MAX_SAFE_INTEGER } };
  if (writeAnnotations(all, least) !== null) return null;
  return 'its annotations leave no room for our mark in the 16 KiB that all tools share: take some of the others off';
}

/** The line for a payload under a mark. */
export function lineOf(payload: Payload, mark: Mark): Line {
  return { mark, form: payload.form, fingerprint: fingerprint(payload, mark) };
}

/** The lines with that of one version put in, or replaced. */
export function withLine(lines: readonly VersionLine[], line: VersionLine): readonly VersionLine[] {
  return [...lines.filter(({ number }) => number !== line.number), line].sort((a, b) => a.number - b.number);
}

/** Whether a line is for this value. */
export function fits(line: Line, content: SecretValue): boolean {
  return line.fingerprint === fingerprint({ form: line.form, content }, line.mark);
}

/** Whether two lines say the same of the same value. */
export function sameLine(a: Line, b: Line): boolean {
  return a.fingerprint === b.fingerprint && a.form === b.form && sameMark(a.mark, b.mark);
}

function lineFields({ mark, form, fingerprint: print }: Line): Record<string, unknown> {
  return { ...markToFields(mark), form, fingerprint: print };
}

function claimText(claim: Claim): string {
  return JSON.stringify({ ...lineFields(claim), 'claim-id': claim.id, 'claimed-at': claim.at });
}

function readLine(raw: unknown): Line | null {
  const line = lineSchema.safeParse(raw);
  if (!line.success) return null;
  const mark = markFromFields(raw as Readonly<Record<string, unknown>>);
  return mark === null ? null : { ...line.data, mark };
}
