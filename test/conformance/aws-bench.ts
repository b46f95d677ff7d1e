import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { VaultError } from '../../src/domain/errors.ts';
import type { Payload } from '../../src/domain/payload.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { EntryDescription, EntryRef, Vault } from '../../src/vaults/contract.ts';
import { awsSecretsManagerVaultType } from '../../src/vaults/aws-secrets-manager.ts';
import { FakeAws } from '../fakes/aws-secrets-manager-http.ts';
import { AwsHands, useTestCredentials } from './aws-hands.ts';
import { makeMark } from './vault-bench.ts';
import { createTestContext } from './vault-context.ts';
import type { TestContext } from './vault-context.ts';

export const REGION = 'eu-west-2';

/** The vault against the fake service, and what the cases of its own traps share. */
export class AwsBench {
  readonly fake: FakeAws;
  readonly hands: AwsHands;
  readonly context: TestContext = createTestContext();
  readonly #resetEnvironment: () => void;
  readonly #vaults: Vault[] = [];
  #places = 0;

  private constructor(fake: FakeAws, resetEnvironment: () => void) {
    this.fake = fake;
    this.hands = new AwsHands(fake.url, REGION);
    this.#resetEnvironment = resetEnvironment;
  }

  static async open(environment: Readonly<Record<string, string>> = {}): Promise<AwsBench> {
    const resetEnvironment = useTestCredentials(environment);
    return new AwsBench(await FakeAws.start(REGION), resetEnvironment);
  }

  async vault(options: Readonly<Record<string, unknown>> = {}, context: TestContext = this.context): Promise<Vault> {
    const given = { region: REGION, endpoint: this.fake.url, stsEndpoint: this.fake.url, ...options };
    const vault = await awsSecretsManagerVaultType.create(awsSecretsManagerVaultType.schema.parse(given), context);
    this.#vaults.push(vault);
    return vault;
  }

  place(): EntryRef {
    return { entry: `traps/${(this.#places += 1)}`, options: {} };
  }

  async close(): Promise<void> {
    await Promise.all(this.#vaults.map((vault) => vault.close()));
    await this.fake.stop();
    this.#resetEnvironment();
  }
}

export function text(content: string): Payload {
  return { form: 'opaque', content: SecretValue.of(content) };
}

export function versionOf(seen: EntryDescription): string {
  return seen.state === 'absent' ? 'absent' : seen.version;
}

/** What a call was rejected with. @throws an assertion where it is no VaultError. */
export async function refusal(work: Promise<unknown>): Promise<VaultError> {
  const error: unknown = await work.then(
    () => 'fulfilled',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(VaultError);
  return error as VaultError;
}

/** A bench for the block that calls it, and for each of its tests a new entry that holds 'one', with no request seen since. */
export function deliveredScene() {
  let bench: AwsBench;
  let vault: Vault;
  let ref: EntryRef;
  let version: string;
  beforeAll(async () => {
    bench = await AwsBench.open();
    vault = await bench.vault();
  });
  beforeEach(async () => {
    ref = bench.place();
    ({ version } = await vault.deliver(ref, text('one'), makeMark(1), ABSENT));
    bench.fake.requests.length = 0;
  });
  afterEach(() => {
    bench.fake.heal();
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });
  afterAll(() => bench.close());
  return {
    get bench() {
      return bench;
    },
    get vault() {
      return vault;
    },
    get ref() {
      return ref;
    },
    get version() {
      return version;
    },
  };
}
