import { memoryVaultType, MemoryVault } from '../../src/vaults/memory.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { createTestContext } from './vault-context.ts';
import type { VaultFixture } from './vault-fixture.ts';
import { describeVaultSuite } from './vault-suite.ts';

async function open(capabilities: { compareAndSet: boolean }): Promise<VaultFixture> {
  const context = createTestContext();
  const vault = new MemoryVault(context, capabilities);
  return {
    vault,
    type: memoryVaultType,
    pass: (milliseconds) => context.clock.advance(milliseconds),
    printed: () => context.printed(),
    editByHand: (ref, content) => vault.editByHand(ref.entry, { form: 'fields', content: SecretValue.of(content) }),
    removeMark: (ref) => vault.removeMark(ref.entry),
    rollBack: (ref) => vault.rollBack(ref.entry),
    rollBackAndForth: (ref) => vault.moveBack(ref.entry)(),
    makeEmpty: (ref) => vault.makeEmpty(ref.entry),
    putForeign: (ref, content) => vault.putForeign(ref.entry, { form: 'opaque', content: SecretValue.of(content) }),
    deny: () => vault.deny(),
    lag: () => {
      vault.setReadLag(45_000);
      return () => vault.mend();
    },
    addForeignMetadata: (ref) => {
      vault.addForeignMetadata(ref.entry, 'team', 'payments');
      return () => vault.peek(ref.entry)?.foreign['team'] === 'payments';
    },
    second: () => vault,
    close: () => vault.close(),
  };
}

describeVaultSuite('memory', {
  open: () => open({ compareAndSet: true }),
  capabilities: { compareAndSet: true, readable: true, map: false },
});

describeVaultSuite('memory without compare-and-set', {
  open: () => open({ compareAndSet: false }),
  capabilities: { compareAndSet: false, readable: true, map: false },
});
