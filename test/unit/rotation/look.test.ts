import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { MINUTE } from '../../../src/domain/time.ts';
import { look, readValue } from '../../../src/rotation/look.ts';
import type { World } from '../../../src/rotation/world.ts';
import { MemoryVault } from '../../../src/vaults/memory.ts';
import { makeMark } from '../../conformance/vault-bench.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';

describe('reading a value back', () => {
  it('V13: what a vault that lags held before is not taken for what the look named', async () => {
    const ports = createManualPorts();
    const vault = new MemoryVault({ name: 'a', readBack: MINUTE, ...ports });
    const ref = { entry: 'shop', options: {} };
    const payload = (text: string) => ({ form: 'opaque', content: SecretValue.of(text) }) as const;
    const { version } = await vault.deliver(ref, payload('old'), makeMark(1), 'absent');
    await ports.clock.advance(MINUTE);
    await vault.deliver(ref, payload('new'), makeMark(2), version);
    const format = { kind: 'value' } as const;
    const place = { vaultName: 'a', vault, identity: vault.identity, ...ref, format, known: null };
    const seen = await look(place);
    const world = { vaults: new Map([['a', vault]]) } as unknown as World;
    expect((await readValue(world, seen, {}))?.clientSecret.reveal()).toBe('new');

    vault.setReadLag(30_000);
    const late = readValue(world, seen, {});
    await expect(late).rejects.toMatchObject({
      fault: 'conflict',
      message: "Vault 'a', entry 'shop': what was read is not what was looked at",
    });
  });
});
