import { describe, it } from 'vitest';
import type { Vault } from '../../src/vaults/contract.ts';
import { hashicorpVaultType } from '../../src/vaults/hashicorp-vault.ts';
import { createTestContext } from '../conformance/vault-context.ts';
import type { VaultFixture } from '../conformance/vault-fixture.ts';
import { describeVaultSuite } from '../conformance/vault-suite.ts';
import { openMount } from './openbao-mount.ts';
import { openbao } from './openbao.ts';
import { provideServer } from './provided-server.ts';

const provided = await provideServer(openbao);

if (provided.how === 'none') {
  describe('vault hashicorp-vault', () => {
    it.skip(`[skipped: ${provided.reason}]`);
  });
} else {
  const { server } = provided;

  const open = async (): Promise<VaultFixture> => {
    const mount = await openMount(server.access);
    const token = await mount.token();
    const context = createTestContext();
    const connect = async (seed: number): Promise<Vault> => {
      const auth = { method: 'token', token };
      const options = hashicorpVaultType.schema.parse({ url: server.access.url, mount: mount.name, auth });
      return hashicorpVaultType.create(options, seed === 1 ? context : createTestContext('under-test', seed));
    };
    return {
      vault: await connect(1),
      type: hashicorpVaultType,
      makeRef: (label) => ({ entry: `team-a/${label}/client é+%&=`, options: {} }),
      printed: () => context.printed(),
      ...mount.hands.hooks(),
      deny: async () => {
        await mount.grant('path "none" { capabilities = ["deny"] }');
        return () => mount.grant(null);
      },
      second: () => connect(2),
      close: async () => {
        await mount.remove();
        await server.stop();
      },
    };
  };

  describeVaultSuite(`hashicorp-vault at ${openbao.name} (${provided.how})`, {
    open,
    capabilities: { compareAndSet: true, readable: true, map: true },
    lacks: { lag: 'one node reads what it has written' },
  });
}
