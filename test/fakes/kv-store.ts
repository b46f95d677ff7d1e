/** An answer of the engine: `data` null is no body but the list of errors. */
export interface KvAnswer {
  readonly status: number;
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly string[];
}

interface Version {
  readonly createdTime: string;
  deletionTime: string;
  destroyed: boolean;
  data: Record<string, unknown>;
}

interface Entry {
  readonly createdTime: string;
  current: number;
  metadataVersion: number;
  custom: Record<string, string>;
  readonly versions: Map<number, Version>;
}

const ABSENT: KvAnswer = { status: 404, errors: [] };
const CAS_MISMATCH = 'check-and-set parameter did not match the current version';

/**
 * The KV engine, version 2, in memory: what `builtin/logical/kv` of OpenBao 2.4 does with entries, versions and
 * custom_metadata, as far as rekeyd and the hands of the tests use it.
 */
export class KvStore {
  readonly #entries = new Map<string, Entry>();
  /** OpenBao's setting of a mount: every change of metadata names the version that it changes. */
  metadataCasRequired = false;
  #ticks = 0;

  read(path: string, number: number): KvAnswer {
    const entry = this.#entries.get(path);
    const version = entry?.versions.get(number === 0 ? entry.current : number);
    if (entry === undefined || version === undefined) return ABSENT;
    const gone = version.destroyed || (version.deletionTime !== '' && Date.parse(version.deletionTime) < Date.now());
    const metadata = this.#aboutVersion(entry, number === 0 ? entry.current : number, version);
    return { status: gone ? 404 : 200, data: { data: gone ? null : version.data, metadata } };
  }

  write(path: string, body: Readonly<Record<string, unknown>>): KvAnswer {
    const cas = (body['options'] as { cas?: number } | undefined)?.cas;
    const entry = this.#entries.get(path) ?? this.#newEntry();
    if (cas !== undefined && cas !== entry.current) return { status: 400, errors: [CAS_MISMATCH] };
    this.#entries.set(path, entry);
    entry.current += 1;
    const data = structuredClone(body['data']) as Record<string, unknown>;
    const version: Version = { createdTime: this.#now(), deletionTime: '', destroyed: false, data };
    entry.versions.set(entry.current, version);
    return { status: 200, data: this.#aboutVersion(entry, entry.current, version) };
  }

  /** A deleted version keeps its place, and can be undeleted; a destroyed one cannot. */
  remove(path: string, how: 'delete' | 'undelete' | 'destroy'): KvAnswer {
    const entry = this.#entries.get(path);
    const version = entry?.versions.get(entry.current);
    if (version === undefined) return { status: 204 };
    if (how === 'destroy') Object.assign(version, { destroyed: true, data: {} });
    else version.deletionTime = how === 'delete' ? new Date(Date.now() - 1).toISOString() : '';
    return { status: 204 };
  }

  metadata(path: string): KvAnswer {
    const entry = this.#entries.get(path);
    if (entry === undefined) return ABSENT;
    const versions = [...entry.versions].map(([number, { createdTime, deletionTime, destroyed }]) => [
      String(number),
      { created_time: createdTime, deletion_time: deletionTime, destroyed },
    ]);
    return {
      status: 200,
      data: {
        current_version: entry.current,
        current_metadata_version: entry.metadataVersion,
        created_time: entry.createdTime,
        custom_metadata: Object.keys(entry.custom).length === 0 ? null : entry.custom,
        versions: Object.fromEntries(versions) as unknown,
      },
    };
  }

  /** Makes metadata, or replaces the parts of it that are given; without any, it does nothing at all. */
  putMetadata(path: string, body: Readonly<Record<string, unknown>>): KvAnswer {
    const custom = body['custom_metadata'] as Record<string, string> | undefined;
    if (custom === undefined && body['max_versions'] === undefined) return { status: 204 };
    const there = this.#entries.get(path);
    const refusal = this.#metadataRefusal(there?.metadataVersion ?? 0, body) ?? customProblem(custom ?? {});
    if (refusal !== null) return { status: 400, errors: [refusal] };
    const entry = there ?? this.#newEntry();
    this.#entries.set(path, entry);
    entry.metadataVersion += 1;
    if (custom !== undefined) entry.custom = { ...custom };
    return { status: 204 };
  }

  patchMetadata(path: string, body: Readonly<Record<string, unknown>>): KvAnswer {
    const entry = this.#entries.get(path);
    if (entry === undefined) return { status: 404 };
    const changes = Object.entries(body['custom_metadata'] as Record<string, string | null>);
    const given = changes.filter((change): change is [string, string] => change[1] !== null);
    const refusal = this.#metadataRefusal(entry.metadataVersion, body) ?? customProblem(Object.fromEntries(given));
    if (refusal !== null) return { status: 400, errors: [refusal] };
    entry.metadataVersion += 1;
    const names = new Set(changes.map(([name]) => name));
    const kept = Object.entries(entry.custom).filter(([name]) => !names.has(name));
    entry.custom = Object.fromEntries([...kept, ...given]);
    return { status: 204 };
  }

  removeAll(path: string): KvAnswer {
    this.#entries.delete(path);
    return { status: 204 };
  }

  #newEntry(): Entry {
    return { createdTime: this.#now(), current: 0, metadataVersion: 0, custom: {}, versions: new Map() };
  }

  #metadataRefusal(current: number, body: Readonly<Record<string, unknown>>): string | null {
    const cas = body['metadata_cas'] as number | undefined;
    if (cas === undefined)
      return this.metadataCasRequired ? 'metadata check-and-set parameter required for this call' : null;
    return cas === current ? null : 'metadata check-and-set parameter does not match the current version';
  }

  #aboutVersion(
    entry: Entry,
    number: number,
    { createdTime, deletionTime, destroyed }: Version,
  ): Record<string, unknown> {
    return {
      version: number,
      created_time: createdTime,
      deletion_time: deletionTime,
      destroyed,
      custom_metadata: Object.keys(entry.custom).length === 0 ? null : entry.custom,
    };
  }

  /** With nanoseconds, as the server writes it: never the same twice. */
  #now(): string {
    this.#ticks += 1;
    return new Date().toISOString().replace('Z', `${String(this.#ticks).padStart(6, '0')}Z`);
  }
}

/** The rules for custom_metadata, which the server names with what broke them. */
function customProblem(custom: Readonly<Record<string, string>>): string | null {
  const entries = Object.entries(custom);
  if (entries.length > 64)
    return `custom_metadata validation failed: payload must contain at most 64 keys, provided ${entries.length}`;
  for (const [key, value] of entries) {
    if (key === '' || Buffer.byteLength(key) > 128) return `custom_metadata validation failed: length of key "${key}"`;
    if (value === '' || Buffer.byteLength(value) > 512)
      return `custom_metadata validation failed: length of value for key "${key}"`;
    if (/(?! )[\p{C}\p{Z}]/u.test(key + value))
      return `custom_metadata validation failed: "${key}" contains unprintable characters`;
  }
  return null;
}
