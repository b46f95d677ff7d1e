import { beforeEach, describe, expect, it } from 'vitest';
import { ABSENT } from '../../../src/vaults/contract.ts';
import { MemoryVault } from '../../../src/vaults/memory.ts';
import { createTestContext } from '../../conformance/vault-context.ts';
import type { TestContext } from '../../conformance/vault-context.ts';
import { numberedMark, numberedPayload } from './numbered.ts';

const ref = { entry: 'orders', options: {} };
const other = { entry: 'invoices', options: {} };

let context: TestContext;
let vault: MemoryVault;

beforeEach(() => {
  context = createTestContext();
  vault = new MemoryVault(context);
});

const deliver = (generation: number, expected: string) =>
  vault.deliver(ref, numberedPayload(generation, 'a'), numberedMark(generation, 'a'), expected);

describe('the faults of the memory vault', () => {
  it('meet the operations, entries and number of calls that they are set for', async () => {
    const lift = vault.fail({ fault: 'throttled', operations: ['describe'], entry: 'orders', times: 2 });
    await expect(vault.describe(other)).resolves.toEqual({ state: 'absent' });
    await expect(vault.read(ref)).resolves.toEqual({ state: 'absent' });
    await expect(vault.describe(ref)).rejects.toMatchObject({ fault: 'throttled', entry: 'orders' });
    await expect(vault.describe(ref)).rejects.toMatchObject({ fault: 'throttled' });
    await expect(vault.describe(ref)).resolves.toEqual({ state: 'absent' });
    lift();
  });

  it('are lifted one by one, or all together', async () => {
    const lift = vault.deny('orders');
    vault.goDown('invoices');
    await expect(vault.describe(ref)).rejects.toMatchObject({ fault: 'denied' });
    lift();
    await expect(vault.describe(ref)).resolves.toEqual({ state: 'absent' });
    await expect(vault.describe(other)).rejects.toMatchObject({ fault: 'unavailable' });
    vault.mend();
    await expect(vault.describe(other)).resolves.toEqual({ state: 'absent' });
  });

  it('may lose the answer of a write that was applied', async () => {
    vault.fail({ fault: 'unavailable', operations: ['deliver'], times: 1, applied: true });
    await expect(deliver(1, ABSENT)).rejects.toMatchObject({ fault: 'unavailable' });
    expect(vault.peek('orders')?.mark).toEqual(numberedMark(1, 'a'));
  });

  it('V13: a lagging read shows what was there, while a write compares with what is there', async () => {
    const { version } = await deliver(1, ABSENT);
    vault.setReadLag(10_000);
    expect(await vault.describe(ref)).toEqual({ state: 'absent' });
    const second = await deliver(2, version);
    await context.clock.advance(9_999);
    expect(await vault.describe(ref)).toEqual({ state: 'absent' });
    await context.clock.advance(1);
    expect(await vault.describe(ref)).toMatchObject({ version: second.version, mark: numberedMark(2, 'a') });
  });

  it('a delay holds a call up, and an aborted caller is not held', async () => {
    vault.setDelay(5_000);
    const call = vault.describe(ref);
    const stop = new AbortController();
    const aborted = expect(vault.describe(ref, {}, stop.signal)).rejects.toThrow('enough');
    await context.clock.settle();
    stop.abort(new Error('enough'));
    await aborted;
    await context.clock.advance(5_000);
    await expect(call).resolves.toEqual({ state: 'absent' });
  });

  it('V3: without compare-and-set two writers that looked at the same time both write', async () => {
    vault = new MemoryVault(context, { compareAndSet: false });
    const results = await Promise.allSettled([deliver(1, ABSENT), deliver(2, ABSENT)]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled']);
    await expect(deliver(3, ABSENT)).rejects.toMatchObject({ fault: 'conflict' });
  });

  it('a locked entry says why it cannot be written', async () => {
    const { version } = await deliver(1, ABSENT);
    vault.lock('orders', 'it is immutable');
    expect(await vault.describe(ref)).toMatchObject({ locked: 'it is immutable' });
    await expect(deliver(2, version)).rejects.toMatchObject({ fault: 'locked' });
    vault.lock('orders', null);
    await expect(deliver(2, version)).resolves.toBeDefined();
  });

  it('a vault that cannot be read describes, and refuses to read', async () => {
    vault = new MemoryVault(context, { readable: false });
    await deliver(1, ABSENT);
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ binding: 'bound' });
    await expect(vault.read(ref)).rejects.toMatchObject({ fault: 'rejected' });
  });

  it('keeps what happened, for a test to look at', async () => {
    await deliver(1, ABSENT);
    vault.remove('orders');
    expect(await vault.describe(ref)).toEqual({ state: 'absent' });
    expect(vault.entries()).toEqual([]);
    await deliver(2, ABSENT);
    expect(vault.entries()).toEqual(['orders']);
    expect(vault.history('orders').map((state) => state.mark?.generation)).toEqual([1, 2]);
    expect(vault.calls.map((call) => call.operation)).toEqual(['deliver', 'describe', 'deliver']);
  });
});
