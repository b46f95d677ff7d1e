import { randomBytes } from 'node:crypto';

/** One version, as Key Vault's API has it. Times are whole seconds. */
export interface StoredVersion {
  readonly id: string;
  value: string;
  contentType: string | undefined;
  tags: Record<string, string>;
  attributes: { enabled: boolean; created: number; updated: number; exp?: number; nbf?: number };
  managed?: boolean;
}

interface StoredSecret {
  readonly name: string;
  /** Oldest first; the last is the current one, enabled or not. */
  readonly versions: StoredVersion[];
  deleted: boolean;
  /** Reads that still find it gone after a recovery has begun. */
  recovering: number;
}

export interface VersionBody {
  value?: string;
  contentType?: string;
  tags?: Record<string, string>;
  attributes?: { enabled?: boolean; exp?: number; nbf?: number };
}

/** The secrets of a Key Vault. Names do not tell case. */
export class AzureKeyVaultStore {
  readonly #secrets = new Map<string, StoredSecret>();
  /** How many reads find a recovered secret gone still. */
  recoveryTakes = 0;
  /** How many reads show what was there before the last write. */
  lag = 0;
  #stale = 0;
  #before: { name: string; versions: StoredVersion[] } | null = null;

  find(name: string): StoredSecret | undefined {
    return this.#secrets.get(name.toLowerCase());
  }

  /** The current version as a person sees it. @throws Error where there is none. */
  current(name: string): StoredVersion {
    const version = this.find(name)?.versions.at(-1);
    if (version === undefined) throw new Error(`there is no secret '${name}'`);
    return version;
  }

  versions(name: string): readonly StoredVersion[] {
    return this.find(name)?.versions ?? [];
  }

  /** What a read finds: null is not there, or not yet again. */
  readable(name: string): readonly StoredVersion[] | null {
    const secret = this.find(name);
    if (secret === undefined || secret.deleted) return null;
    if (secret.recovering > 0) {
      secret.recovering -= 1;
      return null;
    }
    if (this.#stale > 0 && this.#before?.name === secret.name) {
      this.#stale -= 1;
      return this.#before.versions.length === 0 ? null : this.#before.versions;
    }
    return secret.versions;
  }

  set(name: string, body: VersionBody): StoredVersion {
    const now = Math.floor(Date.now() / 1000);
    const version: StoredVersion = {
      id: randomBytes(16).toString('hex'),
      value: body.value ?? '',
      contentType: body.contentType,
      tags: { ...body.tags },
      attributes: { enabled: true, created: now, updated: now, ...body.attributes },
    };
    const secret = this.find(name) ?? { name: name.toLowerCase(), versions: [], deleted: false, recovering: 0 };
    this.#before = { name: secret.name, versions: [...secret.versions] };
    this.#stale = this.lag;
    secret.versions.push(version);
    this.#secrets.set(secret.name, secret);
    return version;
  }

  delete(name: string): void {
    const secret = this.find(name);
    if (secret === undefined) throw new Error(`there is no secret '${name}'`);
    secret.deleted = true;
  }

  recover(secret: StoredSecret): void {
    secret.deleted = false;
    secret.recovering = this.recoveryTakes;
  }
}
