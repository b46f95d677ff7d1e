import type { Vault, VaultContext } from '../../src/vaults/contract.ts';
import { hashicorpVaultType } from '../../src/vaults/hashicorp-vault.ts';
import { FakeVaultServer } from '../fakes/hashicorp-vault-http.ts';
import { KvHands } from './kv-hands.ts';
import { createTestContext } from './vault-context.ts';
import type { VaultFixture } from './vault-fixture.ts';
import { describeVaultSuite } from './vault-suite.ts';

/** Time that runs ten times as fast, so that a wait for a standby is short. */
const PACE = 10;

async function open(): Promise<VaultFixture> {
  const server = await FakeVaultServer.start();
  server.issue('ours', 0, false);
  const context = createTestContext();
  const quick: VaultContext = { ...context, ...quickTime(context) };
  const connect = (around: VaultContext): Promise<Vault> => {
    const auth = { method: 'token', token: 'ours' };
    return hashicorpVaultType.create(hashicorpVaultType.schema.parse({ url: server.url, auth }), around);
  };
  return {
    vault: await connect(quick),
    type: hashicorpVaultType,
    printed: () => context.printed(),
    ...new KvHands({ url: server.url, token: 'root', mount: 'secret' }).hooks(),
    deny: () => {
      server.denied = true;
      return () => {
        server.denied = false;
      };
    },
    lag: () => {
      server.lag = 4;
      return () => {
        server.lag = 0;
      };
    },
    second: () => connect({ ...quick, ...createTestContext('under-test', 2), ...quickTime(context) }),
    close: () => server.stop(),
  };
}

function quickTime(context: VaultContext): Pick<VaultContext, 'clock' | 'ticker'> {
  const monotonic = (): number => performance.now() * PACE;
  return {
    clock: { now: () => Date.now(), monotonic },
    ticker: {
      ...context.ticker,
      sleep: (duration, signal) =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(resolve, duration / PACE);
          signal?.addEventListener('abort', () => {
            clearTimeout(timer);
            reject(signal.reason as Error);
          });
        }),
    },
  };
}

describeVaultSuite('hashicorp-vault at a fake server', {
  open,
  capabilities: { compareAndSet: true, readable: true, map: true },
});
