import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { Vault } from '../../src/vaults/contract.ts';
import { hashicorpVaultType } from '../../src/vaults/hashicorp-vault.ts';
import { createTestContext } from '../conformance/vault-context.ts';
import type { VaultFixture } from '../conformance/vault-fixture.ts';
import { describeVaultSuite } from '../conformance/vault-suite.ts';
import { KvHands } from '../conformance/kv-hands.ts';
import { openbao } from './openbao.ts';
import { provideServer } from './provided-server.ts';

const provided = await provideServer(openbao);

if (provided.how === 'none') {
  describe('vault hashicorp-vault', () => {
    it.skip(`[skipped: ${provided.reason}]`);
  });
} else {
  const { access } = provided.server;
  const policy = readFileSync(new URL('../../config/policies/hashicorp-vault.hcl', import.meta.url), 'utf8');

  const open = async (): Promise<VaultFixture> => {
    const mount = `suite-${randomBytes(4).toString('hex')}`;
    const hands = new KvHands({ ...access, mount });
    await hands.mountEngine();
    const grant = (text: string) => hands.must('PUT', `sys/policies/acl/${mount}`, { policy: text });
    const least = policy
      .replaceAll('secret/data/data8/', `${mount}/data/`)
      .replaceAll('secret/metadata/data8/', `${mount}/metadata/`);
    await grant(least);
    const role = { policies: [mount], no_default_policy: true, no_parent: true, ttl: '1h' };
    const { body } = await hands.must('POST', 'auth/token/create', role);
    const token = (body['auth'] as { client_token: string }).client_token;
    const context = createTestContext();
    const connect = async (seed: number): Promise<Vault> => {
      const options = hashicorpVaultType.schema.parse({ url: access.url, mount, auth: { method: 'token', token } });
      return hashicorpVaultType.create(options, seed === 1 ? context : createTestContext('under-test', seed));
    };
    return {
      vault: await connect(1),
      type: hashicorpVaultType,
      makeRef: (label) => ({ entry: `team-a/${label}/client é+%&=`, options: {} }),
      printed: () => context.printed(),
      ...hands.hooks(),
      deny: async () => {
        await grant('path "none" { capabilities = ["deny"] }');
        return async () => {
          await grant(least);
        };
      },
      second: () => connect(2),
      close: async () => {
        await hands.must('DELETE', `sys/mounts/${mount}`);
        await hands.must('DELETE', `sys/policies/acl/${mount}`);
        await provided.server.stop();
      },
    };
  };

  describeVaultSuite('hashicorp-vault', {
    open,
    capabilities: { compareAndSet: true, readable: true, map: true },
    lacks: { lag: 'one node reads what it has written' },
  });
}
