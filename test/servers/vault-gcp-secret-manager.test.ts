import { randomBytes } from 'node:crypto';
import { describe, it } from 'vitest';
import { gcpSecretManagerVaultType } from '../../src/vaults/gcp-secret-manager.ts';
import { createTestContext } from '../conformance/vault-context.ts';
import type { VaultFixture } from '../conformance/vault-fixture.ts';
import { describeVaultSuite } from '../conformance/vault-suite.ts';
import { GcpHands, toldProject } from './gcp-project.ts';

const told = toldProject();

if ('reason' in told) {
  describe('vault gcp-secret-manager', () => {
    it.skip(`[skipped: ${told.reason}]`);
  });
} else {
  const { options } = told;

  const open = async (): Promise<VaultFixture> => {
    const hands = new GcpHands(options);
    const context = createTestContext();
    const vault = await gcpSecretManagerVaultType.create(options, context);
    const run = randomBytes(4).toString('hex');
    const used = new Set<string>();
    return {
      vault,
      type: gcpSecretManagerVaultType,
      makeRef: (label) => {
        const entry = `rekeyd-suite-${run}-${label}`;
        used.add(entry);
        return { entry, options: {} };
      },
      printed: () => context.printed(),
      editByHand: ({ entry }, content) => hands.add(entry, content),
      removeMark: ({ entry }) => hands.annotate(entry, {}),
      rollBack: ({ entry }) => hands.addPrevious(entry),
      rollBackAndForth: ({ entry }) => hands.addBackAndForth(entry),
      makeEmpty: ({ entry }) => hands.disableNewest(entry),
      putForeign: async ({ entry }, content) => {
        await hands.create(entry);
        await hands.add(entry, content);
      },
      addForeignMetadata: async ({ entry }) => {
        await hands.annotate(entry, { ...(await hands.annotations(entry)), owner: 'payments' });
        return async () => (await hands.annotations(entry))['owner'] === 'payments';
      },
      close: async () => {
        await vault.close();
        await hands.deleteAll(used);
      },
    };
  };

  describeVaultSuite(`gcp-secret-manager in ${options.project}`, {
    open,
    capabilities: { compareAndSet: false, readable: true, map: false },
    lacks: {
      lag: 'Google lags when it does, not when it is told to; played in test/conformance',
      deny: 'that takes a second principal, or a change of IAM that takes minutes; played in test/conformance',
    },
  });
}
