import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/time.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { EntryRef } from '../../src/vaults/contract.ts';
import { Refused } from '../fakes/gcp-secret-store.ts';
import type { FakeSecret } from '../fakes/gcp-secret-store.ts';
import { errorOf, openGcpBench, payload, put, versionOf } from './gcp-secret-manager-bench.ts';
import type { GcpBench } from './gcp-secret-manager-bench.ts';
import { makeMark } from './vault-bench.ts';

const ref: EntryRef = { entry: 'orders', options: {} };

/** The numbers of the versions that can be read and hold a value. */
function holding(secret: FakeSecret, text: string): number[] {
  return secret.versions.flatMap(({ state, data }, index) =>
    state === 'ENABLED' && data.toString() === text ? [index + 1] : [],
  );
}

let bench: GcpBench;
beforeEach(async () => {
  bench = await openGcpBench();
});
afterEach(() => bench.close());

describe('gcp-secret-manager: a delivery that is cut short', () => {
  const steps = [
    ['get', 1],
    ['access', 1],
    ['update', 1],
    ['addVersion', 1],
    ['update', 2],
  ] as const;
  const cuts = steps.flatMap(([call, nth]) => [
    { call, nth, when: 'before it was carried out', after: false },
    { call, nth, when: 'after it was carried out', after: true },
  ]);

  /** Cuts the nth such call of all that follow. */
  function cut({ call, nth, after }: { call: string; nth: number; after: boolean }): void {
    let count = 0;
    bench.service.interfere = (request) => {
      if (request.call !== call || (count += 1) !== nth) return null;
      return { hangUp: true, after };
    };
  }

  it.each(cuts)('V2: $call $nth, $when: what is there has its mark, and a repeat leaves one version', async (where) => {
    const { service, vault } = bench;
    const first = await put(vault, ref, 'value one', makeMark(1));
    cut(where);
    const error = await errorOf(vault.deliver(ref, payload('value two'), makeMark(2), first));
    expect(error.fault).toBe('unavailable');
    service.interfere = () => null;

    const between = await vault.describe(ref, { prove: true });
    const there = service.store.find('orders').versions.length === 2 ? 2 : 1;
    expect(between).toMatchObject({ mark: makeMark(there), binding: 'bound' });

    const later = makeMark(2, { deliveredAt: makeMark(2).deliveredAt + MINUTE });
    await vault.deliver(ref, payload('value two'), later, versionOf(between));
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: later, binding: 'bound' });
    expect(holding(service.store.find('orders'), 'value two')).toEqual([2]);
  });

  it.each([
    { call: 'create', nth: 1, after: false },
    { call: 'create', nth: 1, after: true },
    { call: 'addVersion', nth: 1, after: false },
    { call: 'addVersion', nth: 1, after: true },
    { call: 'update', nth: 1, after: false },
    { call: 'update', nth: 1, after: true },
  ])('V2: of an entry that was absent, at $call (carried out: $after)', async (where) => {
    const { service, vault } = bench;
    cut(where);
    await errorOf(vault.deliver(ref, payload('value one'), makeMark(1), ABSENT));
    service.interfere = () => null;
    const between = await vault.describe(ref, { prove: true });
    await vault.deliver(ref, payload('value one'), makeMark(1), versionOf(between));
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    expect(holding(service.store.find('orders'), 'value one')).toEqual([1]);
  });

  it('V13: a repeat finds what it added by number, while `latest` still lags', async () => {
    const { service, vault } = bench;
    const first = await put(vault, ref, 'value one', makeMark(1));
    cut({ call: 'update', nth: 2, after: false });
    await errorOf(vault.deliver(ref, payload('value two'), makeMark(2), first));
    service.interfere = () => null;
    service.stale = service.store.copy();
    service.stale.find('orders').versions.pop();
    await vault.deliver(ref, payload('value two'), makeMark(2), first);
    service.stale = null;
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(2), binding: 'bound' });
    expect(service.store.find('orders').versions).toHaveLength(2);
  });

  it('V13: a repeat finds its first version by number, while nothing else shows that there is one', async () => {
    const { service, vault } = bench;
    cut({ call: 'update', nth: 1, after: false });
    await errorOf(vault.deliver(ref, payload('value one'), makeMark(1), ABSENT));
    service.interfere = () => null;
    service.stale = service.store.copy();
    service.stale.find('orders').versions.pop();
    const seen = await vault.describe(ref, { prove: true });
    expect(seen).toMatchObject({ state: 'present', binding: 'broken', mark: makeMark(1) });
    await vault.deliver(ref, payload('value one'), makeMark(1), versionOf(seen));
    service.stale = null;
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    expect(service.store.find('orders').versions).toHaveLength(1);
  });

  it('a version that was never bound keeps its mark when the next one is claimed', async () => {
    const { service, vault } = bench;
    const first = await put(vault, ref, 'value one', makeMark(1));
    cut({ call: 'update', nth: 2, after: false });
    await errorOf(vault.deliver(ref, payload('value two'), makeMark(2), first));
    service.interfere = () => null;
    await bench.context.clock.advance(MINUTE);
    const second = versionOf(await vault.describe(ref, { prove: true }));
    cut({ call: 'addVersion', nth: 1, after: false });
    await errorOf(vault.deliver(ref, payload('value three'), makeMark(3), second));
    service.interfere = () => null;
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(2), binding: 'bound' });
  });

  it('an earlier try that lands just before its repeat is disabled, and is not what is served', async () => {
    const { service, vault, context } = bench;
    const first = await put(vault, ref, 'value one', makeMark(1));
    cut({ call: 'addVersion', nth: 1, after: false });
    await errorOf(vault.deliver(ref, payload('value two'), makeMark(2), first));
    service.interfere = ({ call }) => {
      if (call === 'addVersion') service.store.add('orders', Buffer.from('value two'), undefined);
      return null;
    };
    const { version } = await vault.deliver(ref, payload('value two'), makeMark(2), first);
    expect(service.store.find('orders').versions.map(({ state }) => state)).toEqual(['ENABLED', 'DISABLED', 'ENABLED']);
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ version, mark: makeMark(2), binding: 'bound' });
    expect(context.printed()).toContain('vault-duplicate-disabled');
  });

  it('an earlier try that lands after its repeat is served with its mark, and is never disabled', async () => {
    const { service, vault } = bench;
    const first = await put(vault, ref, 'value one', makeMark(1));
    cut({ call: 'addVersion', nth: 1, after: false });
    await errorOf(vault.deliver(ref, payload('value two'), makeMark(2), first));
    service.interfere = () => null;
    await vault.deliver(ref, payload('value two'), makeMark(2), first);
    service.store.add('orders', Buffer.from('value two'), undefined);
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(2), binding: 'bound' });
    await put(vault, ref, 'value three', makeMark(3));
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(3), binding: 'bound' });
    expect(service.store.find('orders').versions.map(({ state }) => state)).not.toContain('DISABLED');
  });

  it('tidying that is denied is told, and does not undo the delivery', async () => {
    const { service, vault, context } = bench;
    const first = await put(vault, ref, 'value one', makeMark(1));
    service.interfere = ({ call }) => {
      if (call === 'addVersion') service.store.add('orders', Buffer.from('value two'), undefined);
      if (call === 'disable') return { refuse: new Refused(403, 'PERMISSION_DENIED', 'no') };
      return null;
    };
    await vault.deliver(ref, payload('value two'), makeMark(2), first);
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(2), binding: 'bound' });
    expect(context.printed()).toMatch(/vault-tidy-failed.*secretmanager\.versions\.disable/s);
  });
});
