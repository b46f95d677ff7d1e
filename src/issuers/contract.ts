import type { z } from 'zod';
import type { Ports } from '../domain/ports.ts';
import type { SecretValue } from '../domain/secret-value.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { Log } from '../telemetry/log.ts';
import type { Meter } from '../telemetry/meter.ts';
import type { RightReport } from '../domain/rights.ts';

/** One credential as the issuer lists it. */
export interface ListedCredential {
  readonly clientId: string;
  readonly description: string;
}

/** One secret as the issuer lists it. `expires` null: never. */
export interface ListedSecret {
  readonly secretId: string;
  readonly expires: Instant | null;
  readonly description: string;
}

/** What is asked of the issuer when a secret is made or changed. PUT may replace: always the whole. */
export interface SecretWish {
  readonly expires: Instant | null;
  readonly description: string;
}

export interface CreatedSecret extends ListedSecret {
  readonly value: SecretValue;
}

/**
 * What the token endpoint says of a client's secret. `accepted`: a token, or an OAuth error that is only said after the
 * client was authenticated, and never with 401. `refused`: `invalid_client`, or 401 whatever it says; for a fresh secret it
 * means 'not yet'.
 */
export type Verdict = 'accepted' | 'refused';

/** How slow the issuer may be. */
export interface IssuerTiming {
  /** A call that was given up may still be applied within this. */
  readonly requestLifetime: Duration;
  /** A list may be this stale. */
  readonly listLag: Duration;
  readonly maxClockSkew: Duration;
}

/**
 * A system that issues secrets. Every call may throw {@link IssuerError} and nothing else (but the abort reason of
 * `signal`); its `surelyNotApplied` tells whether a change may have happened all the same. An implementation retries
 * what is safe to repeat (lists, gets, PUT, DELETE, and a POST that was surely not executed), paces itself, bounds
 * every call in time and size, and lets no object of its HTTP library out.
 */
export interface Issuer {
  /** The name in the configuration. */
  readonly name: string;
  readonly type: string;
  readonly timing: IssuerTiming;
  /** The client that rekeyd itself logs in with: its hand-made secrets are never deleted. Absent: none. */
  readonly ownClientId?: string;
  /** Our own secret stands in the configuration, so that only a person can replace it. Absent: it does not. */
  readonly ownSecretIsStatic?: boolean;
  /** The most characters that a description may have. */
  readonly descriptionLimit: number;

  /** All credentials of the account; throws where the list is partly read or malformed. */
  listCredentials(signal?: AbortSignal): Promise<readonly ListedCredential[]>;
  /** All secrets of a credential, expired ones included. Throws `issuer.not-found` where the credential is gone. */
  listSecrets(clientId: string, signal?: AbortSignal): Promise<readonly ListedSecret[]>;
  /** Makes a secret. Never repeated once it may have been applied. A 2xx without id or value throws `malformed`. */
  createSecret(clientId: string, wish: SecretWish, signal?: AbortSignal): Promise<CreatedSecret>;
  updateSecret(clientId: string, secretId: string, wish: SecretWish, signal?: AbortSignal): Promise<void>;
  /** `absent`: the issuer answered 404. That alone does not prove that it is gone. */
  deleteSecret(clientId: string, secretId: string, signal?: AbortSignal): Promise<'deleted' | 'absent'>;
  /** Tries a secret at the token endpoint. Throws on silence (time-out, 5xx, an answer that is not OAuth). */
  verify(clientId: string, value: SecretValue, signal?: AbortSignal): Promise<Verdict>;
  /**
   * How far the issuer's clock is ahead of ours, from the `Date` header of its last responses; null before the first.
   * Responses with `Age` are ignored.
   */
  skew(): Duration | null;
  /** Tells what `rekeyd check` prints. Changes nothing. */
  rights(signal?: AbortSignal): Promise<readonly RightReport[]>;
  close(): Promise<void>;
}

/** Where our own client's secret is kept: a field of a vault's entry, or all of an entry that has no fields. */
export interface SecretReference {
  /** The name of the vault in the configuration. */
  readonly vault: string;
  readonly entry: string;
  readonly field: string;
}

/** What an issuer is built with. */
export interface IssuerContext extends Ports {
  /** The name in the configuration. */
  readonly name: string;
  readonly log: Log;
  readonly meter: Meter;
  /**
   * Gives this issuer's raw section of the configuration again, with `${file:}` and `${NAME}` replaced afresh: it has not
   * been through the schema. Asked for when our own client is refused, so that a secret that was changed in its file is
   * taken up without a restart. Absent: there is nothing to read again.
   */
  readonly rereadOptions?: () => Promise<unknown>;
  /**
   * Reads our own client's secret, as it is in its vault now. @throws VaultError, ConfigError. Absent: no vault is to be had
   * here, and a configuration that keeps it in one cannot be used.
   */
  readonly readSecret?: (reference: SecretReference, signal?: AbortSignal) => Promise<SecretValue>;
}

/** One type of issuer, as the registry holds it. `schema` checks its part of the configuration and gives defaults. */
export interface IssuerType<Schema extends z.ZodType = z.ZodType> {
  readonly type: string;
  readonly schema: Schema;
  /**
   * Which option does not name the token endpoint, and what to do, as in 'OPTION names …'; null: `{tokenUrl}` may stand for the
   * option `tokenUrl`. Runs at load, where a rule speaks of `{tokenUrl}`. Absent: it always may.
   */
  tokenUrlProblem?(options: z.output<Schema>): string | null;
  create(options: z.output<Schema>, context: IssuerContext): Issuer;
}
