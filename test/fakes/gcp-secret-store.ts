import { crc32c } from '../../src/vaults/gcp-secret-manager/payload-bytes.ts';

export type VersionState = 'ENABLED' | 'DISABLED' | 'DESTROYED';
const STATE_NUMBERS: Readonly<Record<VersionState, number>> = { ENABLED: 1, DISABLED: 2, DESTROYED: 3 };
const KEY = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const LABEL_KEY = /^[a-z][a-z0-9_-]{0,62}$/;
const LABEL_VALUE = /^[a-z0-9_-]{0,63}$/;

/** A refusal in the service's words: HTTP status, google.rpc.Code, and its message. */
export class Refused extends Error {
  readonly http: number;
  readonly status: string;

  constructor(http: number, status: string, message: string) {
    super(message);
    this.http = http;
    this.status = status;
  }
}

export interface FakeVersion {
  state: VersionState;
  data: Buffer;
  readonly createdAt: Date;
  readonly checked: boolean;
}

export interface FakeSecret {
  annotations: Record<string, string>;
  labels: Record<string, string>;
  etag: number;
  readonly replication: unknown;
  readonly createdAt: Date;
  expireTime: string | null;
  readonly versions: FakeVersion[];
}

interface SecretBody {
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly replication?: unknown;
  readonly etag?: string;
}

/**
 * The state of a Secret Manager as its documentation has it: an etag that each update changes and a patch may name (another
 * one is FAILED_PRECONDITION), versions that are numbered one by one, `latest` that is the one created last whatever its
 * state, and checks of checksums, sizes, annotations and labels.
 * https://docs.cloud.google.com/secret-manager/docs/etags and /docs/reference/rest
 */
export class FakeSecretStore {
  readonly secrets = new Map<string, FakeSecret>();
  /** Names in answers have the project's number, whatever they were asked by. */
  readonly parent = 'projects/123456789012';
  #etags = 0;
  #made = 0;

  find(id: string): FakeSecret {
    const secret = this.secrets.get(id);
    if (secret === undefined) {
      throw new Refused(404, 'NOT_FOUND', `Secret [${this.parent}/secrets/${id}] not found.`);
    }
    return secret;
  }

  create(id: string, body: SecretBody): FakeSecret {
    if (this.secrets.has(id)) throw new Refused(409, 'ALREADY_EXISTS', `Secret [${id}] already exists.`);
    if (body.replication === undefined) throw invalid('replication must be provided');
    this.#made += 1;
    const secret: FakeSecret = {
      annotations: checkAnnotations(body.annotations ?? {}),
      labels: checkLabels(body.labels ?? {}),
      etag: (this.#etags += 1),
      replication: body.replication,
      createdAt: new Date(Date.UTC(2030, 0, 1) + this.#made * 1001),
      expireTime: null,
      versions: [],
    };
    this.secrets.set(id, secret);
    return secret;
  }

  update(id: string, body: SecretBody, mask: readonly string[]): FakeSecret {
    const secret = this.find(id);
    if (mask.length === 0) throw invalid('update_mask must be provided');
    if (body.etag !== undefined && body.etag !== '' && body.etag !== etagText(secret)) {
      throw new Refused(400, 'FAILED_PRECONDITION', 'The etag provided does not match that of the resource.');
    }
    if (mask.includes('annotations')) secret.annotations = checkAnnotations(body.annotations ?? {});
    if (mask.includes('labels')) secret.labels = checkLabels(body.labels ?? {});
    secret.etag = this.#etags += 1;
    return secret;
  }

  /** @returns the number of the new version. */
  add(id: string, data: Buffer, checksum: string | undefined): number {
    const secret = this.find(id);
    if (data.length > 65_536) throw invalid('The payload is larger than 65536 bytes.');
    if (checksum !== undefined && checksum !== String(crc32c(data))) throw invalid('data_crc32c does not match.');
    const createdAt = new Date(secret.createdAt.getTime() + secret.versions.length + 1);
    return secret.versions.push({ state: 'ENABLED', data, createdAt, checked: checksum !== undefined });
  }

  version(id: string, which: string): { readonly number: number; readonly version: FakeVersion } {
    const { versions } = this.find(id);
    const number = which === 'latest' ? versions.length : Number(which);
    const version = versions[number - 1];
    if (version !== undefined) return { number, version };
    throw new Refused(404, 'NOT_FOUND', `Secret Version [${id}/versions/${which}] not found.`);
  }

  setState(id: string, which: string, state: VersionState): void {
    const { version } = this.version(id, which);
    if (version.state === 'DESTROYED') throw new Refused(400, 'FAILED_PRECONDITION', 'The version is destroyed.');
    version.state = state;
    if (state === 'DESTROYED') version.data = Buffer.alloc(0);
  }

  secretJson(id: string): object {
    const secret = this.find(id);
    return {
      name: `${this.parent}/secrets/${id}`,
      replication: secret.replication,
      createTime: secret.createdAt.toISOString(),
      labels: secret.labels,
      annotations: secret.annotations,
      etag: etagText(secret),
      ...(secret.expireTime === null ? {} : { expireTime: secret.expireTime }),
    };
  }

  versionJson(id: string, which: string): object {
    const { number, version } = this.version(id, which);
    return {
      name: `${this.parent}/secrets/${id}/versions/${number}`,
      createTime: version.createdAt.toISOString(),
      state: STATE_NUMBERS[version.state],
      etag: `"v${number}"`,
      ...(version.checked ? { clientSpecifiedPayloadChecksum: true } : {}),
    };
  }

  accessJson(id: string, which: string): object {
    const { number, version } = this.version(id, which);
    const name = `${this.parent}/secrets/${id}/versions/${number}`;
    if (version.state !== 'ENABLED') {
      throw new Refused(400, 'FAILED_PRECONDITION', `Secret Version [${name}] is in ${version.state} state.`);
    }
    return { name, payload: { data: version.data.toString('base64'), dataCrc32c: String(crc32c(version.data)) } };
  }

  /** As it is now, for readers that lag behind. */
  copy(): FakeSecretStore {
    const copy = new FakeSecretStore();
    for (const [id, secret] of this.secrets) {
      copy.secrets.set(id, { ...secret, versions: secret.versions.map((version) => ({ ...version })) });
    }
    return copy;
  }
}

function etagText(secret: FakeSecret): string {
  return `"etag-${secret.etag}"`;
}

function invalid(message: string): Refused {
  return new Refused(400, 'INVALID_ARGUMENT', message);
}

function checkAnnotations(annotations: Record<string, string>): Record<string, string> {
  for (const key of Object.keys(annotations)) {
    if (key.length > 63 || !KEY.test(key)) throw invalid(`bad annotation key ${key}`);
  }
  if (Buffer.byteLength(Object.entries(annotations).flat().join('')) >= 16_384) throw invalid('annotations too large');
  return annotations;
}

function checkLabels(labels: Record<string, string>): Record<string, string> {
  if (Object.keys(labels).length > 64) throw invalid('too many labels');
  for (const [key, value] of Object.entries(labels)) {
    if (!LABEL_KEY.test(key) || !LABEL_VALUE.test(value)) throw invalid(`bad label ${key}`);
  }
  return labels;
}
