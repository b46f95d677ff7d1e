import { expect, it } from 'vitest';
import { VaultError } from '../../src/domain/errors.ts';
import type { VaultFault } from '../../src/domain/errors.ts';
import type { VaultCapabilities } from '../../src/vaults/contract.ts';
import { VaultBench } from './vault-bench.ts';
import type { HookName, VaultFixture, VaultHooks } from './vault-fixture.ts';

/** How a vault is held to the contract. */
export interface VaultSuite {
  /** Opens the vault under test, once. */
  open(): Promise<VaultFixture>;
  readonly capabilities: VaultCapabilities;
  /** Why a hook cannot be had. The cases that need it are skipped, and say so in their name. */
  readonly lacks?: Partial<Record<HookName, string>>;
}

/** The vault under test, and the cases that it can be put through; one that it cannot is a skipped test with its reason. */
export class VaultCases {
  readonly capabilities: VaultCapabilities;
  readonly #suite: VaultSuite;
  #bench: VaultBench | null = null;

  constructor(suite: VaultSuite) {
    this.capabilities = suite.capabilities;
    this.#suite = suite;
  }

  /** @throws Error before {@link open}, so outside of a test. */
  get bench(): VaultBench {
    if (this.#bench === null) throw new Error('the vault is not open yet');
    return this.#bench;
  }

  async open(): Promise<void> {
    this.#bench = new VaultBench(await this.#suite.open());
  }

  async close(): Promise<void> {
    await this.bench.fixture.close();
  }

  /** A case that needs a hook, and perhaps a capability. */
  withHook<H extends HookName>(
    hook: H,
    title: string,
    run: (hook: VaultHooks[H]) => Promise<void>,
    able: keyof VaultCapabilities | null = null,
  ): void {
    const unable = able !== null && !this.capabilities[able] ? `the vault is not ${able}` : undefined;
    const reason = unable ?? this.#suite.lacks?.[hook];
    if (reason !== undefined) {
      it.skip(`${title} [skipped: ${reason}]`);
      return;
    }
    it(title, async () => {
      const given = this.bench.fixture[hook];
      if (given === undefined) throw new Error(`The fixture has no '${hook}', and 'lacks' does not say why.`);
      await run(given.bind(this.bench.fixture) as VaultHooks[H]);
    });
  }

  /** A case that needs a capability. */
  whenAble(able: keyof VaultCapabilities, title: string, run: () => Promise<void>): void {
    if (this.capabilities[able]) it(title, run);
    else it.skip(`${title} [skipped: the vault is not ${able}]`);
  }
}

/** Fails where the promise is fulfilled, or rejected with another fault. */
export async function rejects(promise: Promise<unknown>, fault: VaultFault): Promise<void> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(VaultError);
  expect(error).toMatchObject({ fault, code: `vault.${fault}` });
}
