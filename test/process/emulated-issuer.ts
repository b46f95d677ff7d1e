import { createHash, randomBytes } from 'node:crypto';
import { liveSecret } from '../../src/emulator/acceptance.ts';
import { createEmulator } from '../../src/emulator/emulator.ts';
import type { Emulator, EmulatorSettings } from '../../src/emulator/emulator.ts';
import type { FaultInput } from '../../src/emulator/faults.ts';
import { timestampAt } from '../../src/emulator/timestamp.ts';

/** A secret that the issuer has, or had. */
export interface TrueSecret {
  readonly clientId: string;
  readonly clientSecretId: number;
  readonly description: string | null;
  readonly created: string;
  readonly expires: string | null;
  readonly deleted: string | null;
}

/**
 * An emulator in the test's own process, for daemons in theirs: what a test knows of the issuer is the truth, read from the
 * state itself and past all faults. A process of its own took longer to start than most of these tests run.
 */
export class EmulatedIssuer {
  readonly url: string;
  /** Its own client, which may use the API. */
  readonly clientSecret: string;
  readonly #emulator: Emulator;

  private constructor(emulator: Emulator, clientSecret: string) {
    this.#emulator = emulator;
    this.url = emulator.url;
    this.clientSecret = clientSecret;
  }

  static async start(settings: Pick<EmulatorSettings, 'seed'> = {}): Promise<EmulatedIssuer> {
    // with every character that an encoding changes: what leaks by an encoding is to be found, too
    const clientSecret = `own "${randomBytes(15).toString('base64')}\\/+%&=`;
    const emulator = await createEmulator({ clientId: 'admin', clientSecret, ...settings });
    return new EmulatedIssuer(emulator, clientSecret);
  }

  /** What the configurations of these tests ask for. */
  get env(): Record<string, string> {
    return {
      DATA8_BASE_URL: this.url,
      DATA8_TOKEN_URL: this.#emulator.tokenUrl,
      DATA8_CLIENT_ID: 'admin',
      DATA8_CLIENT_SECRET: this.clientSecret,
    };
  }

  /** Replaces all switches: see docs/emulator.md. */
  faults(input: FaultInput): void {
    this.#emulator.faults.set(input);
  }

  truth(): readonly TrueSecret[] {
    return this.#emulator.account.journal.map((secret) => ({
      clientId: secret.clientId,
      clientSecretId: secret.clientSecretId,
      description: secret.description,
      created: timestampAt(secret.created).text,
      expires: secret.expires?.text ?? null,
      deleted: secret.deleted === null ? null : timestampAt(secret.deleted).text,
    }));
  }

  /** Whether a value would get a token, whatever caches say. */
  accepts(clientId: string, value: string): boolean {
    const sha256 = createHash('sha256').update(value).digest('hex');
    const { account, faults } = this.#emulator;
    return liveSecret(account, clientId, sha256, Date.now() + faults.settings.clockSkew) !== undefined;
  }

  /** Calls of the API since the last time that this was asked. */
  requests(): readonly { readonly operation: string | null; readonly status: number | null }[] {
    const { log } = this.#emulator;
    const calls = log.entries().map(({ operation, status }) => ({ operation, status }));
    log.clear();
    return calls;
  }

  stop(): Promise<void> {
    return this.#emulator.close();
  }
}
