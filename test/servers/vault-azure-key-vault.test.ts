import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { azureKeyVaultType } from '../../src/vaults/azure-key-vault.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import { makeMark } from '../conformance/vault-bench.ts';
import { describeVaultSuite } from '../conformance/vault-suite.ts';
import { KeyVaultHands, toldKeyVault } from './azure-key-vault.ts';

const told = toldKeyVault();
const run = randomBytes(4).toString('hex');

if (typeof told === 'string') {
  describe('vault azure-key-vault', () => {
    it.skip(`[skipped: ${told}]`);
  });
} else {
  describeVaultSuite('azure-key-vault', {
    open: async () => {
      const hands = await KeyVaultHands.on(told);
      return {
        vault: hands.vault,
        type: azureKeyVaultType,
        makeRef: (label) => hands.makeRef(run, label),
        printed: () => hands.context.printed(),
        ...hands.hooks(),
        close: () => hands.close(),
      };
    },
    capabilities: { compareAndSet: false, readable: true, map: false },
    lacks: {
      second: 'two writers without compare-and-set are repaired in a resync',
      deny: 'it would take the right to change role assignments, and minutes until they hold',
      lag: 'how far its replicas lag is not in our hands',
    },
  });

  describe('azure-key-vault: a real soft-deleted name', () => {
    let hands: KeyVaultHands;
    beforeAll(async () => {
      hands = await KeyVaultHands.on(told);
    });
    afterAll(async () => {
      await hands.close();
    });

    const payload = (text: string) => ({ form: 'opaque', content: SecretValue.of(text) }) as const;

    it('V5: is recovered, and written', async () => {
      const ref = hands.makeRef(run, 'soft-deleted');
      await hands.vault.deliver(ref, payload('first'), makeMark(1), ABSENT);
      await hands.delete(ref);
      const seen = await hands.vault.describe(ref);
      expect(seen).toMatchObject({ state: 'present', mark: makeMark(1), binding: 'broken' });
      const expected = seen.state === 'present' ? seen.version : '';
      await hands.vault.deliver(ref, payload('second'), makeMark(2), expected);
      expect(await hands.vault.describe(ref)).toMatchObject({ mark: makeMark(2), binding: 'bound' });
    });

    it('V4, V5: of others is seen, and not recovered', async () => {
      const ref = hands.makeRef(run, 'soft-deleted-foreign');
      await hands.hooks().putForeign?.(ref, 'by hand');
      await hands.delete(ref);
      expect(await hands.vault.describe(ref)).toMatchObject({ state: 'present', mark: null, binding: 'broken' });
      const attempt = hands.vault.deliver(ref, payload('ours'), makeMark(1), ABSENT);
      await expect(attempt).rejects.toMatchObject({ fault: 'conflict' });
    });
  });
}
