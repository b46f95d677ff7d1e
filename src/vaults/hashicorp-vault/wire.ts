import { isObject, parseJson } from '../../domain/json.ts';
import type { Instant } from '../../domain/time.ts';

/** What the KV version 2 engine says, read into types. Source: its HTTP API, `api-docs/secret/kv/kv-v2`. */

/** An entry without its value. */
export interface KvEntry {
  /** The current version; 0: none was ever written. */
  readonly version: number;
  /** When that version was made, as the server writes it: tells an entry from another of its name, made anew. */
  readonly createdTime: string;
  /** Whether that version has no value: deleted, destroyed, or past the end that `delete_version_after` gave it. */
  readonly gone: boolean;
  readonly customMetadata: Readonly<Record<string, string>>;
}

/** The member `data` of an answer; null where there is none. */
export function dataOf(body: string | null): Readonly<Record<string, unknown>> | null {
  const whole = parseJson(body);
  const data = isObject(whole) ? whole['data'] : null;
  return isObject(data) ? data : null;
}

/** Reads the answer to `GET MOUNT/metadata/PATH`. @returns null where it is none. */
export function readMetadata(
  body: string | null,
  now: Instant,
): (KvEntry & { readonly metadataVersion: number | null }) | null {
  const data = dataOf(body);
  const version = data === null ? null : wholeNumber(data['current_version']);
  if (data === null || version === null) return null;
  const custom = readCustom(data['custom_metadata']);
  const metadataVersion = wholeNumber(data['current_metadata_version']);
  if (version === 0) {
    return { version, createdTime: '', gone: true, customMetadata: custom, metadataVersion };
  }
  const versions = data['versions'];
  const current = isObject(versions) ? versions[String(version)] : null;
  const read = isObject(current) ? readVersion(current, now) : null;
  return read === null ? null : { ...read, version, customMetadata: custom, metadataVersion };
}

/** Reads the answer to `GET MOUNT/data/PATH`, also of a version without value (a 404 with a body). @returns null: none. */
export function readData(
  body: string | null,
): { readonly entry: KvEntry; readonly data: Readonly<Record<string, unknown>> | null } | null {
  const answer = dataOf(body);
  const metadata = answer?.['metadata'];
  if (answer === null || !isObject(metadata)) return null;
  const version = wholeNumber(metadata['version']);
  const createdTime = metadata['created_time'];
  if (version === null || version === 0 || typeof createdTime !== 'string') return null;
  const data = isObject(answer['data']) ? answer['data'] : null;
  const customMetadata = readCustom(metadata['custom_metadata']);
  const entry = { version, createdTime, gone: data === null, customMetadata };
  return { entry, data };
}

/** Reads the answer to a write of data. @returns null where it names no version. */
export function readWritten(body: string | null): { readonly version: number; readonly createdTime: string } | null {
  const data = dataOf(body);
  const version = wholeNumber(data?.['version']);
  const createdTime = data?.['created_time'];
  return version === null || typeof createdTime !== 'string' ? null : { version, createdTime };
}

function readVersion(
  version: Readonly<Record<string, unknown>>,
  now: Instant,
): Pick<KvEntry, 'createdTime' | 'gone'> | null {
  const createdTime = version['created_time'];
  const deletion = version['deletion_time'];
  if (typeof createdTime !== 'string' || createdTime === '') return null;
  const ended = typeof deletion === 'string' && deletion !== '' && !(Date.parse(deletion) > now);
  return { createdTime, gone: version['destroyed'] === true || ended };
}

function readCustom(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(isObject(value) ? value : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function wholeNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
