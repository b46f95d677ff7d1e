import type { Ports } from '../../src/domain/ports.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import type { Duration, Instant } from '../../src/domain/time.ts';
import { DAY } from '../../src/domain/time.ts';
import type { CreatedSecret, ListedSecret, SecretWish } from '../../src/issuers/contract.ts';
import { latest, listed, shown } from './memory-issuer-history.ts';
import type { StoredCredential } from './memory-issuer-history.ts';

/** How this issuer behaves. All may be changed while it runs. */
export interface MemoryIssuerBehaviour {
  /** How stale lists are. Default 0; to be honest it must not exceed `timing.listLag`. */
  lag: Duration;
  /** How long a call takes. Default 0. */
  latency: Duration;
  /** A new secret is refused for this long. Default 0. */
  acceptDelay: Duration;
  /** A deleted or replaced secret is accepted for this long after its end. Default 0. */
  revokeDelay: Duration;
  /** The longest life that the issuer gives; more is cut. Null: no limit (default). */
  maxLifetime: Duration | null;
  /** The most unexpired secrets a credential may hold; more are refused with 400. Null: no limit (default). */
  cap: number | null;
  /** What PUT does: `replace` (default) takes the whole object over, `ignore` answers 204 and changes nothing. */
  put: 'replace' | 'ignore';
  /** How far the issuer's clock is ahead of ours. Default 0. */
  skew: Duration;
}

/** What is behind the memory issuer: its account, as a person at its console and a consumer of a secret see it. */
export class MemoryAccount {
  readonly behaviour: MemoryIssuerBehaviour;
  protected readonly ports: Pick<Ports, 'clock' | 'ticker'>;
  protected readonly credentials = new Map<string, StoredCredential>();
  #lastSecretId = 0;

  constructor(ports: Pick<Ports, 'clock' | 'ticker'>, behaviour: Partial<MemoryIssuerBehaviour>) {
    this.ports = ports;
    this.behaviour = {
      lag: 0,
      latency: 0,
      acceptDelay: 0,
      revokeDelay: 0,
      maxLifetime: null,
      cap: null,
      put: 'replace',
      skew: 0,
      ...behaviour,
    };
  }

  // What a person does at the issuer, past its API: no fault, no delay, not counted.

  /** `age`: how long it has been there, so that stale lists show it. */
  addCredential(clientId: string, description = clientId, age: Duration = DAY): void {
    const from = this.ports.clock.now() - age;
    this.credentials.set(clientId, {
      clientId,
      createdAt: from,
      descriptions: [{ from, description }],
      secrets: new Map(),
      deletedAt: null,
    });
  }

  describeCredential(clientId: string, description: string): void {
    this.#stored(clientId).descriptions.push({ from: this.ports.clock.now(), description });
  }

  removeCredential(clientId: string): void {
    const now = this.ports.clock.now();
    const credential = this.#stored(clientId);
    credential.deletedAt = now;
    for (const secret of credential.secrets.values()) secret.deletedAt ??= now;
  }

  /** Makes a secret by hand. `age`: how long ago, so that lists and acceptance know it already. */
  addSecret(clientId: string, wish: Partial<SecretWish> = {}, age: Duration = 0): CreatedSecret {
    const whole: SecretWish = { expires: wish.expires ?? null, description: wish.description ?? 'by hand' };
    return this.insert(this.#stored(clientId), whole, this.ports.clock.now() - age);
  }

  editSecret(clientId: string, secretId: string, change: Partial<SecretWish>): void {
    const secret = this.#stored(clientId).secrets.get(secretId);
    if (secret === undefined) throw new Error(`no secret ${secretId} of ${clientId}`);
    secret.versions.push({ ...latest(secret.versions), ...change, from: this.ports.clock.now() });
  }

  removeSecret(clientId: string, secretId: string): void {
    const secret = this.#stored(clientId).secrets.get(secretId);
    if (secret === undefined) throw new Error(`no secret ${secretId} of ${clientId}`);
    secret.deletedAt ??= this.ports.clock.now();
  }

  // What a test looks at: the truth, without lag.

  /** Secrets that are not deleted, expired ones included, in the order of their making. */
  secrets(clientId: string): readonly ListedSecret[] {
    const secrets = this.credentials.get(clientId)?.secrets.values() ?? [];
    return [...secrets].filter((secret) => secret.deletedAt === null).map(shown);
  }

  /** Every secret that ever was, with its value; deleted ones too. */
  everySecret(
    clientId: string,
  ): readonly (ListedSecret & { value: string; createdAt: Instant; deletedAt: Instant | null })[] {
    return [...(this.credentials.get(clientId)?.secrets.values() ?? [])].map((secret) => ({
      ...shown(secret),
      value: secret.value,
      createdAt: secret.createdAt,
      deletedAt: secret.deletedAt,
    }));
  }

  valueOf(clientId: string, secretId: string): string | null {
    return this.credentials.get(clientId)?.secrets.get(secretId)?.value ?? null;
  }

  /** Whether a client that shows this value is let in now: what consumers live by. Not counted as a call. */
  isAccepted(clientId: string, value: string): boolean {
    const now = this.ports.clock.now();
    const { acceptDelay, revokeDelay, skew } = this.behaviour;
    for (const secret of this.credentials.get(clientId)?.secrets.values() ?? []) {
      if (secret.value !== value || now < secret.createdAt + acceptDelay) continue;
      const { expires } = latest(secret.versions);
      const deleted = secret.deletedAt !== null && now >= secret.deletedAt + revokeDelay;
      if (!deleted && (expires === null || now + skew < expires)) return true;
    }
    return false;
  }

  // For the issuer in front of it.

  protected unexpired(credential: StoredCredential): number {
    const now = this.ports.clock.now() + this.behaviour.skew;
    return [...credential.secrets.values()].filter((secret) => {
      const { expires } = latest(secret.versions);
      return secret.deletedAt === null && (expires === null || expires > now);
    }).length;
  }

  protected granted(wish: SecretWish): SecretWish {
    const { maxLifetime, skew } = this.behaviour;
    if (maxLifetime === null) return { expires: wish.expires, description: wish.description };
    const end = this.ports.clock.now() + skew + maxLifetime;
    return { expires: Math.min(wish.expires ?? end, end), description: wish.description };
  }

  protected insert(credential: StoredCredential, wish: SecretWish, createdAt: Instant): CreatedSecret {
    const secretId = String(++this.#lastSecretId);
    const value = this.valueOfNew(secretId, credential.clientId);
    const version = { ...this.granted(wish), from: createdAt };
    credential.secrets.set(secretId, { secretId, value, createdAt, versions: [version], deletedAt: null });
    return { ...listed(secretId, version), value: SecretValue.of(value) };
  }

  /** What the issuer makes up for a new secret. */
  protected valueOfNew(secretId: string, clientId: string): string {
    return `value-${secretId}-of-${clientId}`;
  }

  #stored(clientId: string): StoredCredential {
    const credential = this.credentials.get(clientId);
    if (credential === undefined) throw new Error(`no credential ${clientId}: add it first`);
    return credential;
  }
}
