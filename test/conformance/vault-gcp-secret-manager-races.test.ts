import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/time.ts';
import type { EntryRef } from '../../src/vaults/contract.ts';
import { Refused } from '../fakes/gcp-secret-store.ts';
import { errorOf, openGcpBench, payload, put, versionOf } from './gcp-secret-manager-bench.ts';
import type { GcpBench } from './gcp-secret-manager-bench.ts';
import { makeMark } from './vault-bench.ts';

const ref: EntryRef = { entry: 'orders', options: {} };

let bench: GcpBench;
beforeEach(async () => {
  bench = await openGcpBench();
});
afterEach(() => bench.close());

describe('gcp-secret-manager: two that write', () => {
  it('V3: of many writers of two processes exactly one wins, and adds the only version', async () => {
    const { service, vault } = bench;
    const { vault: other } = await bench.another();
    const expected = await put(vault, ref, 'before', makeMark(1));
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, writer) =>
        (writer % 2 === 0 ? vault : other).deliver(ref, payload(`value ${writer}`), makeMark(10 + writer), expected),
      ),
    );
    const winners = results.flatMap((result, writer) => (result.status === 'fulfilled' ? [writer] : []));
    expect(winners).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ fault: 'conflict' });
    }
    expect(service.store.find('orders').versions).toHaveLength(2);
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(10 + winners[0]!) });
  });

  it.each(
    [1, 2, 3, 4, 5, 6].flatMap((nth) => [
      { nth, base: 'a version of ours', edited: false },
      { nth, base: 'a value set by hand', edited: true },
    ]),
  )(
    'V3: over $base, a writer held up at its request $nth while another delivers: one wins',
    async ({ nth, edited }) => {
      const { service, vault } = bench;
      const { vault: other } = await bench.another();
      await put(vault, ref, 'before', makeMark(1));
      if (edited) service.store.add('orders', Buffer.from('by hand'), undefined);
      const expected = versionOf(await vault.describe(ref, { prove: true }));
      const before = service.store.find('orders').versions.length;
      const deliverTheirs = (): Promise<unknown> => other.deliver(ref, payload('theirs'), makeMark(2), expected);
      const race: { theirs: Promise<unknown> | null } = { theirs: null };
      let requests = 0;
      service.interfere = () => {
        if (race.theirs !== null || (requests += 1) !== nth) return null;
        race.theirs = deliverTheirs();
        const over = (): void => undefined;
        return { wait: race.theirs.then(over, over) };
      };
      const [mine] = await Promise.allSettled([vault.deliver(ref, payload('mine'), makeMark(3), expected)]);
      const [rival] = await Promise.allSettled([race.theirs ?? deliverTheirs()]);
      expect([mine.status, rival.status].sort()).toEqual(['fulfilled', 'rejected']);
      expect(service.store.find('orders').versions).toHaveLength(before + 1);
      const winner = mine.status === 'fulfilled' ? 3 : 2;
      expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(winner), binding: 'bound' });
    },
  );

  it('sees what another delivers between its own two requests, with its mark', async () => {
    const { service, vault } = bench;
    const { vault: other } = await bench.another();
    const first = await put(vault, ref, 'value one', makeMark(1));
    let delivered: Promise<void> | null = null;
    service.interfere = ({ call }) => {
      if (call !== 'access' || delivered !== null) return null;
      delivered = other.deliver(ref, payload('value two'), makeMark(2), first).then(() => undefined);
      return { wait: delivered };
    };
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(2), binding: 'bound' });
  });

  it('V3, V13: a `latest` that lags behind a version with a line is not taken for the newest', async () => {
    const { service, vault } = bench;
    const first = await put(vault, ref, 'value one', makeMark(1));
    await put(vault, ref, 'value two', makeMark(2));
    const body = JSON.stringify(service.store.accessJson('orders', '1'));
    service.interfere = ({ version }) => (version === 'latest' ? { answer: { status: 200, body } } : null);
    const error = await errorOf(vault.deliver(ref, payload('value three'), makeMark(3), first));
    expect(error.fault).toBe('conflict');
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(2), binding: 'bound' });
    expect(service.store.find('orders').versions).toHaveLength(2);
  });

  it('V3: a claim keeps others out, until it is surely left behind', async () => {
    const { service, vault } = bench;
    const { vault: other, context: otherContext } = await bench.another();
    const first = await put(vault, ref, 'value one', makeMark(1));
    service.interfere = ({ call }) => (call === 'addVersion' ? { hangUp: true } : null);
    await errorOf(vault.deliver(ref, payload('value two'), makeMark(2), first));
    service.interfere = () => null;

    const error = await errorOf(other.deliver(ref, payload('value three'), makeMark(3), first));
    expect(error).toMatchObject({ fault: 'conflict', message: expect.stringContaining('another rekeyd') as string });
    expect(await errorOf(other.restoreMark(ref, makeMark(3), first))).toMatchObject({ fault: 'conflict' });

    await otherContext.clock.advance(MINUTE);
    await other.deliver(ref, payload('value three'), makeMark(3), first);
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(3), binding: 'bound' });
  });

  it("V3: who was taken over fails, and what it added is seen as nobody's", async () => {
    const { service, vault } = bench;
    const { vault: other, context: otherContext } = await bench.another();
    const first = await put(vault, ref, 'value one', makeMark(1));
    await otherContext.clock.advance(MINUTE);
    let once = true;
    let second: Promise<unknown> = Promise.resolve();
    service.interfere = ({ call, body }) => {
      if (call !== 'addVersion' || !once) return null;
      expect(body).toContain(Buffer.from('value two').toString('base64'));
      once = false;
      // frozen right before its addition reached the service
      second = other.deliver(ref, payload('value three'), makeMark(3), first);
      return { wait: second.then(() => undefined) };
    };
    const error = await errorOf(vault.deliver(ref, payload('value two'), makeMark(2), first));
    expect(error.fault).toBe('conflict');
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(3), binding: 'broken' });
  });

  it('metadata that another tool writes in between stays, and holds nothing up', async () => {
    const { service, vault } = bench;
    const first = await put(vault, ref, 'value one', makeMark(1));
    service.interfere = ({ call }) => {
      if (call !== 'addVersion') return null;
      const { annotations } = service.store.find('orders');
      service.store.update('orders', { annotations: { ...annotations, owner: 'payments' } }, ['annotations']);
      return null;
    };
    await vault.deliver(ref, payload('value two'), makeMark(2), first);
    expect(service.store.find('orders').annotations).toMatchObject({ owner: 'payments' });
    expect(await vault.describe(ref)).toMatchObject({ mark: makeMark(2) });
    expect(Object.keys(service.store.find('orders').annotations)).not.toContain('rekeyd-claim');
  });

  it('a version that a person adds in between is not kept out, but told: so compareAndSet is false', async () => {
    const { service, vault, context } = bench;
    const first = await put(vault, ref, 'value one', makeMark(1));
    service.interfere = ({ call }) => {
      if (call === 'addVersion') service.store.add('orders', Buffer.from('by hand'), undefined);
      return null;
    };
    await vault.deliver(ref, payload('value two'), makeMark(2), first);
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(2), binding: 'bound' });
    expect(service.store.find('orders').versions.map(({ state }) => state)).toEqual(['ENABLED', 'ENABLED', 'ENABLED']);
    expect(context.printed()).toContain('vault-overtook');
  });

  it('V11: a quota that the third write in a row meets is waited for', async () => {
    const { service, vault, context } = bench;
    const first = await put(vault, ref, 'value one', makeMark(1));
    let updates = 0;
    service.interfere = ({ call }) => {
      if (call !== 'update' || (updates += 1) !== 2) return null;
      return { refuse: new Refused(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded') };
    };
    await context.clock.until(vault.deliver(ref, payload('value two'), makeMark(2), first));
    expect(updates).toBe(3);
    expect(await vault.describe(ref)).toMatchObject({ mark: makeMark(2) });
  });

  it('P7: a process that slept after its claim adds nothing', async () => {
    const { service, vault, context } = bench;
    const first = await put(vault, ref, 'value one', makeMark(1));
    service.interfere = ({ call }) => {
      if (call === 'update') void context.clock.freeze(10 * MINUTE);
      return null;
    };
    expect(await errorOf(vault.deliver(ref, payload('value two'), makeMark(2), first))).toMatchObject({
      fault: 'unavailable',
    });
    expect(service.store.find('orders').versions).toHaveLength(1);
  });
});
