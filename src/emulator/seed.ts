import { createHmac, randomBytes } from 'node:crypto';
import type { Account } from './account.ts';
import { STANDING_AGE } from './bootstrap.ts';
import { timestampAt } from './timestamp.ts';

/** Credentials to begin with. */
export interface SeedGroup {
  readonly credentials: number;
  /** Default: 1. */
  readonly secretsPerCredential?: number;
  /** Milliseconds from now until the secrets expire; null: never. Default: 90 days. */
  readonly expiresIn?: number | null;
  /** `{n}` is a number of six digits that counts through all groups. Default: `app-{n} (prod)`. */
  readonly description?: string;
  /** Of each secret; default: `seeded`. */
  readonly secretDescription?: string | null;
}

export interface Seed {
  readonly groups: readonly SeedGroup[];
  /** With the same key the ids and values are the same in every run; default: random. */
  readonly key?: string;
}

const NINETY_DAYS = 90 * 24 * 60 * 60 * 1000;

/** Fills an account. */
export function plant(account: Account, now: number, seed: Seed): void {
  const key = seed.key ?? randomBytes(32).toString('hex');
  let n = 0;
  for (const group of seed.groups) {
    const { expiresIn = NINETY_DAYS, description = 'app-{n} (prod)', secretDescription = 'seeded' } = group;
    const expires = expiresIn === null ? null : timestampAt(now + expiresIn);
    for (let index = 0; index < group.credentials; index += 1) {
      n += 1;
      const { clientId } = account.createCredential(description.replaceAll('{n}', String(n).padStart(6, '0')), {
        clientId: seededClientId(key, n),
      });
      for (let ordinal = 1; ordinal <= (group.secretsPerCredential ?? 1); ordinal += 1) {
        account.createSecret(
          clientId,
          { description: secretDescription, expires },
          { value: seededValue(key, clientId, ordinal), created: now - STANDING_AGE },
        );
      }
    }
  }
}

/** The clientId of the n-th seeded credential, from 1. */
export function seededClientId(key: string, n: number): string {
  const hex = createHmac('sha256', key).update(`client ${n}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** The value of a seeded credential's secret; `ordinal` counts from 1. For a test in another process that knows the key. */
export function seededValue(key: string, clientId: string, ordinal: number): string {
  return createHmac('sha256', key).update(`secret ${ordinal} of ${clientId}`).digest('base64');
}
