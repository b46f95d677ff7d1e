import type { Mark } from '../../domain/mark.ts';
import type { Payload } from '../../domain/payload.ts';
import { fingerprint } from '../fingerprint.ts';
import { MARK_FIELDS, markFromFields, markToFields } from '../mark-fields.ts';
import { payloadIn } from './value.ts';
import type { KvData, PayloadKeys } from './value.ts';
import { parseJson } from '../../domain/json.ts';

/**
 * custom_metadata is the entry's, not the version's. So the mark of each version has a line of its own, written before the
 * value is: whatever a crash, another process or a person's roll-back leaves, its mark is there.
 */
export interface Line {
  /** The version that the value was to become. */
  readonly version: number;
  readonly mark: Mark;
  readonly keys: PayloadKeys;
  /** Binds mark and value. */
  readonly fingerprint: string;
}

export type CustomMetadata = Readonly<Record<string, string>>;
/** A merge-patch: null takes a key away. */
export type Changes = Readonly<Record<string, string | null>>;

/** How many versions keep their line: as far as a person may roll back and have the value known. */
const KEPT_VERSIONS = 4;
/** Lines of values that never came, or are on their way: of crashes, and of others who write now. */
const KEPT_PENDING = 2;

/** Of one key in custom_metadata. */
export const MOST_METADATA_BYTES = 512;

const PREFIX = 'rekeyd-';
const BINDING = `${PREFIX}binding`;
const KEYS_ENDING = '-keys';
const LINE = /^rekeyd-(v(\d{1,15})-[0-9a-f]{8})$/;

export function lineFor(version: number, mark: Mark, keys: PayloadKeys, payload: Payload): Line {
  return { version, mark, keys, fingerprint: fingerprint(payload, mark) };
}

/** Why the names of fields have no room beside a line; null where they have. */
export function fieldsProblem(names: readonly string[]): string | null {
  const bytes = Buffer.byteLength(keysText(names));
  return bytes <= MOST_METADATA_BYTES
    ? null
    : `have names that take ${bytes} bytes as a list, and one key of metadata holds ${MOST_METADATA_BYTES}: use fewer fields, or shorter names`;
}

/** The lines in an entry's custom_metadata, newest version first. What cannot be read is none. */
export function readLines(custom: CustomMetadata): readonly Line[] {
  const lines = Object.entries(custom).flatMap(([name, text]) => {
    const version = LINE.exec(name)?.[2];
    // Before its text: what is no JSON costs an error with a stack, and most members are none.
    if (version === undefined) return [];
    const parts = readList(text);
    const keys = readKeys(custom[name + KEYS_ENDING]);
    if (parts === null || keys === undefined) return [];
    const mark = markFromFields(Object.fromEntries(MARK_FIELDS.map((field, index) => [field, parts[index]])));
    const print = parts[MARK_FIELDS.length];
    return mark === null || typeof print !== 'string'
      ? []
      : [{ version: Number(version), mark, keys, fingerprint: print }];
  });
  return lines.sort((a, b) => b.version - a.version);
}

/** The line that is proven to be of this value: of the current version, or of an older one that was brought back (V14). */
export function fitting(lines: readonly Line[], version: number, data: KvData): Line | null {
  const fits = ({ mark, keys, fingerprint: print }: Line): boolean => {
    const payload = payloadIn(data, keys);
    return payload !== null && fingerprint(payload, mark) === print;
  };
  return lines.find((line) => line.version <= version && fits(line)) ?? null;
}

/**
 * The line that the current version should have; where it has none, the one of the last version that has. A line of a
 * version yet to come is nobody's: its value was never written.
 */
export function expectedLine(lines: readonly Line[], version: number, custom: CustomMetadata): Line | null {
  const settled = lines.find((line) => line.version === version && nameOf(line) === custom[BINDING]);
  return settled ?? lines.find((line) => line.version <= version) ?? null;
}

/** What is written before the value: the line of `next`, and old ones taken away. `current`: the line that fits now. */
export function announcing(lines: readonly Line[], next: Line, current: Line | null): Changes {
  const now = next.version - 1;
  const of = (wanted: (line: Line) => boolean): Line[] => lines.filter(wanted);
  const past = of(({ version }) => version < now);
  const present = of(
    (line) => line.version === now && (current === null || current.version !== now || line === current),
  );
  const pending = of(({ version }) => version > now).sort((a, b) => b.mark.deliveredAt - a.mark.deliveredAt);
  const kept = new Set([...[...present, ...past].slice(0, KEPT_VERSIONS), ...pending.slice(0, KEPT_PENDING)]);
  return { ...without(of((line) => !kept.has(line))), ...asFields(next) };
}

/** What is written after the value: the mark as a person reads it, and which line it is. */
export function settling(line: Line): Changes {
  const plain = Object.entries(markToFields(line.mark)).map(([field, text]) => [PREFIX + field, text] as const);
  return { ...Object.fromEntries(plain), [BINDING]: nameOf(line) };
}

/** The line of a version whose value is there already, in the place of any other that it has. */
export function replacing(lines: readonly Line[], next: Line): Changes {
  return { ...without(lines.filter(({ version }) => version === next.version)), ...asFields(next), ...settling(next) };
}

/** Whether custom_metadata says already what {@link settling} would. */
export function isSettled(custom: CustomMetadata, line: Line): boolean {
  return Object.entries(settling(line)).every(([key, text]) => custom[key] === text);
}

function nameOf({ version, fingerprint: print }: Line): string {
  return `v${version}-${print.slice(0, 8)}`;
}

function asFields(line: Line): Changes {
  const { mark, keys, fingerprint: print } = line;
  const fields = markToFields(mark);
  const name = PREFIX + nameOf(line);
  const text = JSON.stringify([...MARK_FIELDS.map((field) => fields[field]), print]);
  return { [name]: text, [name + KEYS_ENDING]: keys === null || keys === '*' ? keys : keysText(keys) };
}

function keysText(keys: readonly string[]): string {
  return JSON.stringify(keys);
}

function without(lines: readonly Line[]): Changes {
  return Object.fromEntries(
    lines.flatMap((line) => ['', KEYS_ENDING].map((end) => [PREFIX + nameOf(line) + end, null])),
  );
}

function readKeys(text: string | undefined): PayloadKeys | undefined {
  if (text === undefined) return null;
  if (text === '*') return '*';
  const keys = readList(text);
  return keys?.every((key) => typeof key === 'string') === true ? keys : undefined;
}

function readList(text: string): readonly unknown[] | null {
  const list: unknown = parseJson(text);
  return Array.isArray(list) ? list : null;
}
