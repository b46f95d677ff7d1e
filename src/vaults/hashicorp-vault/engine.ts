import { VaultError } from '../../domain/errors.ts';
import type { VaultContext } from '../contract.ts';
import type { Client } from './client.ts';
import type { ApiCall } from './exchange.ts';
import { isMetadataConflict, isNotFound, isNothingToPatch, isSuccess, needsMetadataCas } from './failure.ts';
import type { Attempt } from './failure.ts';
import type { Changes } from './marks.ts';
import type { WireReply } from './transport.ts';
import type { KvData } from './value.ts';
import { isObject } from '../../domain/json.ts';
import { dataOf, readData, readMetadata, readWritten } from './wire.ts';
import type { KvEntry } from './wire.ts';

/** An entry, and what is in it; null: no value. */
export interface KvFound {
  readonly entry: KvEntry;
  readonly data: KvData | null;
}

/** How often custom_metadata is changed anew where somebody else changes it (OpenBao's `metadata_cas_required`). */
const METADATA_ATTEMPTS = 4;

/** The KV engine, version 2, at one mount. Source: HTTP API, `secret/kv/kv-v2`. */
export class KvEngine {
  readonly #client: Client;
  readonly #mount: string;
  readonly #context: Pick<VaultContext, 'clock'>;
  #mountKnown = false;

  constructor(client: Client, mount: string, context: Pick<VaultContext, 'clock'>) {
    this.#client = client;
    this.#mount = mount;
    this.#context = context;
  }

  /** An entry without its value; null: it is not there, or never had one. @throws VaultError; the signal's reason. */
  async describe(name: string, signal?: AbortSignal): Promise<KvEntry | null> {
    await this.#knownMount(signal);
    const entry = await this.#metadata(name, 'describing', signal);
    if (entry !== null && entry.version > 0) return entry;
    await this.checkMount(signal);
    return null;
  }

  /** An entry with its value; null: it is not there, or never had one. @throws VaultError; the signal's reason. */
  async read(name: string, signal?: AbortSignal): Promise<KvFound | null> {
    await this.#knownMount(signal);
    const attempt = this.#attempt(name, 'reading', 'read', 'data');
    const reply = await this.#client.call({ ...attempt, method: 'GET', path: this.#path('data', name) }, signal);
    const found = isSuccess(reply) || reply.status === 404 ? readData(reply.body) : null;
    if (found !== null) return found; // a version that was deleted is a 404 with all but the value
    if (!isSuccess(reply) && !isNotFound(reply)) throw this.#client.failures.ofStatus(attempt, reply);
    if (isSuccess(reply)) throw this.#client.failures.malformed(attempt, 'an entry');
    await this.checkMount(signal);
    return null;
  }

  /** Writes a new version over `version`. @throws VaultError `conflict` where that is not the current one (V8). */
  async write(
    name: string,
    version: number,
    data: KvData,
    signal?: AbortSignal,
  ): Promise<{ readonly version: number; readonly createdTime: string }> {
    const attempt = this.#attempt(name, 'writing', 'create and update', 'data');
    const body = JSON.stringify({ options: { cas: version }, data });
    const reply = await this.#client.must({ ...attempt, method: 'POST', path: this.#path('data', name), body }, signal);
    const written = readWritten(reply.body);
    if (written === null) throw this.#client.failures.malformed(attempt, 'a version');
    return written;
  }

  /** Changes keys of custom_metadata, and leaves the others. An entry that is not there gets a place for it. */
  async patchCustomMetadata(name: string, changes: Changes, signal?: AbortSignal): Promise<void> {
    const attempt = this.#attempt(name, 'marking', 'patch', 'metadata');
    let reply = await this.#patch(attempt, name, changes, null, signal);
    if (isNothingToPatch(reply)) {
      await this.#makePlace(name, signal);
      reply = await this.#patch(attempt, name, changes, null, signal);
    }
    for (let count = 1; count < METADATA_ATTEMPTS && needsMetadataCas(reply); count++) {
      const seen = await this.#metadata(name, 'marking', signal);
      reply = await this.#patch(attempt, name, changes, seen?.metadataVersion ?? 0, signal);
    }
    if (!isSuccess(reply)) throw this.#client.failures.ofStatus(attempt, reply);
  }

  /**
   * The mount must be there, and of version 2: on another one an entry would look absent. Every client may ask this that
   * has any right below the mount.
   */
  async checkMount(signal?: AbortSignal): Promise<void> {
    const { failures } = this.#client;
    const mount = this.#mount;
    const attempt: Attempt = {
      entry: null,
      doing: `looking at the mount '${mount}'`,
      right: `something below "${mount}/", and the mount be there`,
    };
    const reply = await this.#client.must(
      { ...attempt, method: 'GET', path: `/v1/sys/internal/ui/mounts/${mount}` },
      signal,
    );
    const data = dataOf(reply.body);
    const options = data?.['options'];
    const version = isObject(options) ? options['version'] : '1';
    if (data === null || typeof data['type'] !== 'string') throw failures.malformed(attempt, 'a type');
    if (typeof data['path'] === 'string' && data['path'] !== `${mount}/`) {
      throw failures.make(
        'rejected',
        null,
        `'${mount}' is no mount, but lies in one: put the rest of it into the entries' names`,
      );
    }
    if (data['type'] !== 'kv') throw failures.make('rejected', null, `the mount '${mount}' is no KV engine`);
    if (version !== '2') {
      const why = `the mount '${mount}' is KV version 1, which has neither versions nor metadata: rekeyd needs version 2 (\`vault kv enable-versioning ${mount}\`)`;
      throw failures.make('rejected', null, why);
    }
  }

  /** `secret/data/prod/orders`: as a policy names it. */
  policyPath(part: 'data' | 'metadata', name: string): string {
    return `${this.#mount}/${part}/${name}`;
  }

  async #knownMount(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#mountKnown) await this.checkMount(signal);
    this.#mountKnown = true;
  }

  async #metadata(name: string, doing: string, signal: AbortSignal | undefined) {
    const attempt = this.#attempt(name, doing, 'read', 'metadata');
    const reply = await this.#client.call({ ...attempt, method: 'GET', path: this.#path('metadata', name) }, signal);
    if (isNotFound(reply)) return null;
    if (!isSuccess(reply)) throw this.#client.failures.ofStatus(attempt, reply);
    const entry = readMetadata(reply.body, this.#context.clock.now());
    if (entry === null) throw this.#client.failures.malformed(attempt, 'metadata');
    return entry;
  }

  #patch(
    attempt: Attempt,
    name: string,
    changes: Changes,
    metadataVersion: number | null,
    signal: AbortSignal | undefined,
  ): Promise<WireReply> {
    const cas = metadataVersion === null ? {} : { metadata_cas: metadataVersion };
    const body = JSON.stringify({ custom_metadata: changes, ...cas });
    return this.#client.call({ ...attempt, method: 'PATCH', path: this.#path('metadata', name), body }, signal);
  }

  /**
   * Metadata without a version, so that a mark can be written before its value. A call without any setting makes nothing,
   * so it says what holds anyway: that the mount decides how many versions there are. Where somebody else made it in
   * between, it is left alone: `metadata_cas` 0 sees to that (OpenBao), and a policy that grants create and not update.
   */
  async #makePlace(name: string, signal: AbortSignal | undefined): Promise<void> {
    const attempt = this.#attempt(name, 'marking', 'create', 'metadata');
    const body = JSON.stringify({ max_versions: 0, metadata_cas: 0 });
    const call: ApiCall = { ...attempt, method: 'POST', path: this.#path('metadata', name), body };
    try {
      const reply = await this.#client.call(call, signal);
      if (!isSuccess(reply) && !isMetadataConflict(reply)) throw this.#client.failures.ofStatus(attempt, reply);
    } catch (error) {
      const denied = error instanceof VaultError && error.fault === 'denied';
      if (!denied || (await this.#metadata(name, 'marking', signal)) === null) throw error;
    }
  }

  #attempt(name: string, doing: string, capability: string, part: 'data' | 'metadata'): Attempt {
    return { entry: name, doing, right: `${capability} on "${this.policyPath(part, name)}"` };
  }

  #path(part: 'data' | 'metadata', name: string): string {
    return `/v1/${this.#mount}/${part}/${name.split('/').map(encodeURIComponent).join('/')}`;
  }
}
