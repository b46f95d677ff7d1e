import type { Format } from '../domain/payload.ts';
import type { SecretValue } from '../domain/secret-value.ts';
import type { Duration } from '../domain/time.ts';
import type { Windows } from '../domain/windows.ts';

/** The configuration after loading: defaults applied, durations in milliseconds, paths absolute, everything checked. */
export interface Settings {
  readonly instance: string;
  readonly mode: Mode;
  readonly schedule: string;
  readonly timezone: string;
  readonly resync: Duration;
  readonly shutdownTimeout: Duration;
  readonly ledger: { readonly type: string; readonly options: unknown };
  readonly http: HttpSettings;
  readonly metrics: { readonly perCredential: 'auto' | boolean };
  readonly webhooks: readonly WebhookSettings[];
  readonly limits: Limits;
  readonly issuers: ReadonlyMap<string, { readonly type: string; readonly options: unknown }>;
  readonly vaults: ReadonlyMap<string, VaultSettings>;
  readonly rules: readonly Rule[];
}

export const MODES = ['active', 'no-delete', 'observe'] as const;
export type Mode = (typeof MODES)[number];

export interface HttpSettings {
  readonly host: string;
  readonly port: number;
  /** Requests a second of one address, on average over some seconds. */
  readonly requestsPerSecond: number;
  /** Addresses and networks of proxies that say by `X-Forwarded-For` who asks. Absent: none. */
  readonly trustProxy?: readonly string[];
  /** A second port for health and metrics alone; null or absent: none. */
  readonly health?: { readonly host: string; readonly port: number } | null;
  /** Absolute path; null: off. */
  readonly socket: string | null;
  readonly tokens: readonly TokenSettings[];
  /** Issuers whose JWTs are taken beside tokens. Absent: none. */
  readonly oidc?: readonly OidcSettings[];
}

export interface TokenSettings {
  readonly name: string;
  readonly role: Role;
  /** Lower-case hex SHA-256 of the token; a `token` in the configuration is turned into it at load. */
  readonly sha256: string;
  /** It has so few characters that it might be guessed. Absent: it has enough, or only its digest is known. */
  readonly isShort?: true;
}

/** One OIDC issuer whose JWTs are taken. */
export interface OidcSettings {
  /** Exactly the claim `iss`. */
  readonly issuer: string;
  readonly audience: string;
  /** Null: what the issuer's discovery document says. */
  readonly jwksUrl: string | null;
  /** Absolute paths; null: none. Both are read whenever keys are fetched. */
  readonly ca: string | null;
  readonly tokenFile: string | null;
  /** The first that matches counts. `match` is a pattern as it was written. */
  readonly roles: readonly { readonly claim: string; readonly match: string; readonly role: Role }[];
  /** The claim that names the actor. */
  readonly name: string;
}

export const ROLES = ['viewer', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** One receiver of events. */
export interface WebhookSettings {
  readonly name: string;
  /** Often a secret itself: whoever has it may post. */
  readonly url: SecretValue;
  readonly secret: SecretValue | null;
  /** Globs on the names of events. */
  readonly events: readonly string[];
  readonly template: string | null;
  readonly timeout: Duration;
}

export interface Limits {
  readonly concurrency: number;
  readonly rotationsPerHour: number;
  readonly maxLiveSecrets: number;
  readonly createsPerDay: number;
  /** Between the starts of two manual rotations of a credential. Absent: none. */
  readonly manualCooldown?: Duration;
  readonly breaker: { readonly failures: number; readonly cooldown: Duration };
}

export interface VaultSettings {
  readonly type: string;
  readonly options: unknown;
  readonly timeout: Duration;
  readonly requestsPerSecond: number;
  readonly readBack: Duration;
}

export interface Policy {
  /** The name in `policies`; null for one written inline. */
  readonly name: string | null;
  readonly lifetime: Duration;
  readonly renewBefore: Duration;
  readonly grace: Duration;
  readonly maxAge: Duration | null;
  /** Null: off, the secret is created with its full lifetime. */
  readonly provisional: Duration | null;
  readonly verify: { readonly method: 'token' | 'none'; readonly timeout: Duration; readonly settle: Duration };
  readonly initial: 'adopt' | 'rotate';
  readonly retire: 'delete' | 'manual';
  readonly unmanaged: 'keep' | 'delete';
  /** When renewals begin and superseded secrets are deleted; null: at any time. */
  readonly windows: Windows | null;
}

/** One entry of `credentials`. Patterns are kept as written; config/match.ts compiles them. */
export interface Rule {
  readonly issuer: string;
  readonly match: { readonly clientId: readonly string[] | null; readonly description: readonly string[] | null };
  /** `ignore`: not even watched. */
  readonly ignore: boolean;
  /** Watched, not changed. */
  readonly suspend: boolean;
  readonly name: string | null;
  readonly policy: Policy;
  readonly deliver: readonly DeliverSettings[];
}

export interface DeliverSettings {
  readonly vault: string;
  readonly name: string;
  readonly format: Format;
  /** What the vault's type allows beyond that: namespace, labels, mode, ... */
  readonly options: Readonly<Record<string, unknown>>;
}
