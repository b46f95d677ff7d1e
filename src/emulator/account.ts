import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Problem } from './problem.ts';
import { StaleView } from './stale-view.ts';
import { timestampAt } from './timestamp.ts';
import type { Timestamp } from './timestamp.ts';
import type { Faults } from './faults.ts';

/** One secret: its value is known only by its SHA-256. Deleted ones are kept: they are the truth journal. */
export interface SecretRecord {
  readonly clientSecretId: number;
  readonly clientId: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly created: number;
  description: string | null;
  /** Null: never. */
  expires: Timestamp | null;
  deleted: number | null;
  /** Each change of `expires` after the creation. */
  changes: { readonly at: number; readonly expires: string | null }[] | null;
}

export interface CredentialRecord {
  readonly clientId: string;
  description: string | null;
  /** Whether its tokens may use the API. */
  administrator: boolean;
  readonly secrets: Map<number, SecretRecord>;
}

/** What a caller may say of a secret; what is undefined was not given. */
export interface SecretInput {
  readonly description?: string | null | undefined;
  readonly expires?: Timestamp | null | undefined;
}

export interface SecretView {
  readonly clientSecretId: number;
  readonly expires: string | null;
  readonly description: string | null;
}

/** The account: credentials and secrets, each found in constant time. Errors are thrown as {@link Problem}. */
export class Account {
  /** Every secret that ever was, in the order of creation. */
  readonly journal: SecretRecord[] = [];
  readonly #credentials = new Map<string, CredentialRecord>();
  readonly #faults: Faults;
  readonly #now: () => number;
  #nextSecretId = 1;
  /** The serialized list: 100,000 credentials are not written anew for each caller. */
  #list: Buffer | null = null;
  readonly #staleList = new StaleView<Buffer>();
  readonly #staleSecrets = new Map<string, StaleView<readonly SecretView[]>>();

  constructor(faults: Faults, now: () => number) {
    this.#faults = faults;
    this.#now = now;
  }

  /** Every credential that exists now. */
  credentials(): Iterable<CredentialRecord> {
    return this.#credentials.values();
  }

  get nextSecretId(): number {
    return this.#nextSecretId;
  }

  find(clientId: string): CredentialRecord | undefined {
    return this.#credentials.get(clientId);
  }

  /** @throws Problem 404. */
  credential(clientId: string): CredentialRecord {
    const credential = this.#credentials.get(clientId);
    if (credential === undefined) throw new Problem(404, 'There is no client credential with this id.');
    return credential;
  }

  /** @throws Problem 404. */
  secret(clientId: string, clientSecretId: number): SecretRecord {
    const secret = this.credential(clientId).secrets.get(clientSecretId);
    if (secret === undefined) throw new Problem(404, 'There is no client secret with this id.');
    return secret;
  }

  /** The JSON of `GET /ClientCredential`, as stale as the list lag says. `secrets` is always null there. */
  listJson(): Buffer {
    return this.#staleList.asOf(this.#now() - this.#faults.settings.listLag, this.#presentList());
  }

  /** The secrets of a credential, as stale as the list lag says. */
  listSecrets(clientId: string): readonly SecretView[] {
    const present = secretViews(this.credential(clientId));
    const stale = this.#staleSecrets.get(clientId);
    return stale === undefined ? present : stale.asOf(this.#now() - this.#faults.settings.listLag, present);
  }

  /** @param given used by the bootstrap client and by tests; the API always generates the id. */
  createCredential(
    description: string | null,
    given: { readonly clientId?: string | null; readonly administrator?: boolean } = {},
  ): CredentialRecord {
    this.#listChanges();
    const clientId = given.clientId ?? randomUUID();
    const credential = { clientId, description, administrator: given.administrator ?? false, secrets: new Map() };
    this.#credentials.set(clientId, credential);
    return credential;
  }

  updateCredential(clientId: string, description: string | null): void {
    const credential = this.credential(clientId);
    this.#listChanges();
    credential.description = description;
  }

  /** Deletes a credential and its secrets. */
  deleteCredential(clientId: string): void {
    const credential = this.credential(clientId);
    this.#listChanges();
    for (const secret of credential.secrets.values()) secret.deleted = this.#now();
    this.#credentials.delete(clientId);
    this.#staleSecrets.delete(clientId);
  }

  /**
   * Makes a secret; its value is in the result and nowhere else.
   * @param given used by the bootstrap client and by seeding; the API always generates the value and dates it now.
   * @throws Problem 404; 400 where the cap is reached.
   */
  createSecret(
    clientId: string,
    input: SecretInput,
    given: { readonly value?: string | undefined; readonly created?: number } = {},
  ): { readonly secret: SecretRecord; readonly value: string } {
    const credential = this.credential(clientId);
    const { maxSecrets } = this.#faults.settings;
    if (maxSecrets !== null && credential.secrets.size >= maxSecrets) {
      throw new Problem(400, `A client credential can hold at most ${maxSecrets} secrets. Delete one first.`);
    }
    this.#secretsChange(credential);
    const value = given.value ?? generateValue();
    const secret: SecretRecord = {
      clientSecretId: this.#nextSecretId,
      clientId,
      sha256: sha256(value),
      created: given.created ?? this.#now(),
      description: input.description ?? null,
      expires: this.#clamped(input.expires ?? null),
      deleted: null,
      changes: null,
    };
    this.#nextSecretId += 1;
    credential.secrets.set(secret.clientSecretId, secret);
    this.journal.push(secret);
    return { secret, value };
  }

  /** Changes what is given; with `replace`, what is not given becomes null. */
  updateSecret(clientId: string, clientSecretId: number, input: SecretInput, replace: boolean): void {
    const secret = this.secret(clientId, clientSecretId);
    this.#secretsChange(this.credential(clientId));
    if (input.description !== undefined || replace) secret.description = input.description ?? null;
    if (input.expires !== undefined || replace) {
      secret.expires = this.#clamped(input.expires ?? null);
      (secret.changes ??= []).push({ at: this.#now(), expires: secret.expires?.text ?? null });
    }
  }

  deleteSecret(clientId: string, clientSecretId: number): void {
    const secret = this.secret(clientId, clientSecretId);
    const credential = this.credential(clientId);
    this.#secretsChange(credential);
    secret.deleted = this.#now();
    credential.secrets.delete(clientSecretId);
  }

  /** Puts back what a data file held. */
  restore(credentials: readonly CredentialRecord[], nextSecretId: number): void {
    for (const credential of credentials) {
      this.#credentials.set(credential.clientId, credential);
      this.journal.push(...credential.secrets.values());
    }
    this.journal.sort((a, b) => a.clientSecretId - b.clientSecretId);
    this.#nextSecretId = nextSecretId;
    this.#list = null;
  }

  #clamped(expires: Timestamp | null): Timestamp | null {
    const { maxLifetime } = this.#faults.settings;
    if (maxLifetime === null) return expires;
    const latest = this.#now() + maxLifetime;
    return expires === null || expires.at > latest ? timestampAt(latest) : expires;
  }

  #presentList(): Buffer {
    this.#list ??= Buffer.from(
      `[${Array.from(this.#credentials.values(), ({ clientId, description }) =>
        JSON.stringify({ clientId, description, secrets: null }),
      ).join(',')}]`,
    );
    return this.#list;
  }

  #listChanges(): void {
    const { listLag } = this.#faults.settings;
    if (listLag > 0) this.#staleList.note(this.#now(), this.#presentList(), listLag);
    this.#list = null;
  }

  #secretsChange(credential: CredentialRecord): void {
    const { listLag } = this.#faults.settings;
    if (listLag === 0) return;
    const stale = this.#staleSecrets.get(credential.clientId) ?? new StaleView<readonly SecretView[]>();
    stale.note(this.#now(), secretViews(credential), listLag);
    this.#staleSecrets.set(credential.clientId, stale);
  }
}

export function secretView(secret: SecretRecord): SecretView {
  return {
    clientSecretId: secret.clientSecretId,
    expires: secret.expires?.text ?? null,
    description: secret.description,
  };
}

export function secretViews(credential: CredentialRecord): SecretView[] {
  return Array.from(credential.secrets.values(), secretView);
}

export function sha256(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}

/** 256 random bits in base64, `+`, `/` and `=` included: a caller that encodes badly is found out. */
export function generateValue(): string {
  return randomBytes(32).toString('base64');
}
