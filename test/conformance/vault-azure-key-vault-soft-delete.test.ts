import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import { failed } from '../fakes/azure-key-vault-http.ts';
import { destination, OWNER } from '../unit/rotation/given.ts';
import { decided } from '../unit/rotation/plan-situations.ts';
import { openAzureBench } from './azure-key-vault-bench.ts';
import type { AzureBench } from './azure-key-vault-bench.ts';
import { makeMark } from './vault-bench.ts';

const ref = { entry: 'orders', options: {} };
const payload = (text: string) => ({ form: 'opaque', content: SecretValue.of(text) }) as const;

describe('azure-key-vault: a soft-deleted name', () => {
  let bench: AzureBench;
  const deliver = (text: string, generation: number, expected: string) =>
    bench.context.clock.until(bench.vault.deliver(ref, payload(text), makeMark(generation), expected));
  /** What a delivery right after a look expects. */
  const looked = async (): Promise<string> => {
    const seen = await bench.vault.describe(ref, { prove: true });
    return seen.state === 'present' ? seen.version : ABSENT;
  };

  beforeEach(async () => {
    bench = await openAzureBench();
  });
  afterEach(async () => {
    await bench.close();
  });

  it('V5: of ours is not served, and a delivery recovers it, waits for it, and sets it; nothing is purged', async () => {
    const { store } = bench.server;
    await deliver('first', 1, ABSENT);
    store.delete('orders');
    store.recoveryTakes = 4;
    expect(await bench.vault.describe(ref)).toMatchObject({ state: 'present', mark: makeMark(1), binding: 'broken' });
    expect(await bench.vault.read(ref)).toMatchObject({ state: 'present', payload: null });
    const before = bench.context.clock.monotonic();
    const { version } = await deliver('second', 2, await looked());
    expect(bench.context.clock.monotonic()).toBeGreaterThan(before);
    expect(store.versions('orders').map(({ value }) => value)).toEqual(['first', 'second']);
    expect(await bench.vault.describe(ref)).toMatchObject({ version, mark: makeMark(2), binding: 'bound' });
    expect(bench.server.writes.filter((write) => write.startsWith('POST'))).toEqual([
      'POST /deletedsecrets/orders/recover',
    ]);
    expect(bench.server.requests.filter(({ method }) => method === 'DELETE')).toEqual([]);
  });

  it('V5: is recovered where only the 409 of the write tells of it', async () => {
    const { server } = bench;
    await deliver('first', 1, ABSENT);
    server.store.delete('orders');
    let hidden = 1;
    server.interfere = ({ path }) =>
      path === '/deletedsecrets/orders' && hidden-- > 0 ? failed(404, 'SecretNotFound') : null;
    await deliver('second', 2, ABSENT);
    expect(server.store.current('orders').value).toBe('second');
  });

  it('V5: is written again where the recovery still refuses it for a moment', async () => {
    const { server } = bench;
    await deliver('first', 1, ABSENT);
    server.store.delete('orders');
    let refusals = 2;
    server.interfere = ({ method, body }) =>
      method === 'PUT' && body !== '' && refusals-- > 0 ? failed(409, 'Conflict', 'ObjectIsBeingRecovered') : null;
    await deliver('second', 2, await looked());
    expect(server.store.versions('orders').map(({ value }) => value)).toEqual(['first', 'second']);
  });

  it('V5: that is still being deleted is waited for', async () => {
    const { server } = bench;
    await deliver('first', 1, ABSENT);
    server.store.delete('orders');
    let busy = 2;
    server.interfere = ({ path }) =>
      path.endsWith('/recover') && busy-- > 0 ? failed(409, 'Conflict', 'ObjectIsBeingDeleted') : null;
    await deliver('second', 2, await looked());
    expect(server.store.current('orders').value).toBe('second');
  });

  it('V5: that never comes back is given up within the time-out', async () => {
    await deliver('first', 1, ABSENT);
    bench.server.store.delete('orders');
    bench.server.store.recoveryTakes = 1000;
    await expect(deliver('second', 2, await looked())).rejects.toMatchObject({ fault: 'unavailable' });
    expect(bench.context.clock.monotonic()).toBeLessThanOrEqual(bench.context.timeout);
    expect(bench.server.store.versions('orders')).toHaveLength(1);
  });

  it('V5: a missing right to recover is named', async () => {
    await deliver('first', 1, ABSENT);
    bench.server.store.delete('orders');
    bench.server.interfere = ({ path }) =>
      path.endsWith('/recover') ? failed(403, 'Forbidden', 'ForbiddenByRbac') : null;
    await expect(deliver('second', 2, await looked())).rejects.toMatchObject({
      fault: 'denied',
      message: expect.stringMatching(
        /secrets\/recover\/action \(role 'Key Vault Secrets Officer'\).*'Recover'/,
      ) as string,
    });
  });

  it('V4, V5: that was made by hand is seen before anything is created, and recovered only where it is adopted', async () => {
    const { store } = bench.server;
    store.set('orders', { value: 'by hand', tags: { team: 'checkout' } });
    store.delete('orders');
    const seen = await bench.vault.describe(ref, { prove: true });
    expect(seen).toMatchObject({ state: 'present', mark: null, binding: 'broken' });
    expect(await bench.vault.read(ref)).toMatchObject({ state: 'present', payload: null });
    await expect(deliver('ours', 1, ABSENT)).rejects.toMatchObject({ fault: 'conflict' });
    expect(store.find('orders')?.deleted).toBe(true);
    await deliver('ours', 1, seen.state === 'present' ? seen.version : '');
    expect(store.current('orders')).toMatchObject({ value: 'ours', tags: { team: 'checkout' } });
  });

  it('V4, V5: that was made by hand and comes in only after the look is not taken over', async () => {
    const { server } = bench;
    server.store.set('orders', { value: 'by hand', tags: {} });
    server.store.delete('orders');
    let hidden = 1;
    server.interfere = ({ path }) =>
      path === '/deletedsecrets/orders' && hidden-- > 0 ? failed(404, 'SecretNotFound') : null;
    await expect(deliver('ours', 1, ABSENT)).rejects.toMatchObject({ fault: 'conflict' });
    expect(server.store.find('orders')?.deleted).toBe(true);
  });

  it.each([
    ['ours', makeMark(1, OWNER), 'issue destination-drifted rotating'],
    ['of another credential', makeMark(1, { ...OWNER, credential: 'another' }), 'none entry-foreign blocked'],
    ['of another installation', makeMark(1, { ...OWNER, instance: 'another' }), 'none entry-foreign blocked'],
  ])('V4, V5: that is %s is told before anything is created', async (_whose, mark, expected) => {
    await bench.vault.deliver(ref, payload('first'), mark, ABSENT);
    bench.server.store.delete('orders');
    const sight = await bench.vault.describe(ref, { prove: true });
    expect(decided({ secrets: [], destinations: [destination('azure', sight)] })).toBe(expected);
  });

  it('V5: of another credential is left to it', async () => {
    await deliver('first', 1, ABSENT);
    bench.server.store.delete('orders');
    const other = makeMark(1, { credential: 'another' });
    const refused = bench.vault.deliver(ref, payload('second'), other, await looked());
    await expect(refused).rejects.toMatchObject({
      fault: 'locked',
      message: expect.stringContaining("credential 'suite-client'") as string,
    });
    expect(bench.server.store.find('orders')?.deleted).toBe(true);
  });

  it('V3, V5: that was deleted after the look is looked at again', async () => {
    await deliver('first', 1, ABSENT);
    const expected = await looked();
    bench.server.store.delete('orders');
    await expect(deliver('second', 2, expected)).rejects.toMatchObject({ fault: 'conflict' });
    await expect(deliver('second', 2, ABSENT)).rejects.toMatchObject({ fault: 'conflict' });
    expect(bench.server.store.find('orders')?.deleted).toBe(true);
  });

  it('V3, V5: a version that comes in while it is recovered is not written over', async () => {
    const { server } = bench;
    await deliver('first', 1, ABSENT);
    server.store.delete('orders');
    const expected = await looked();
    server.interfere = ({ path }) => {
      if (path.endsWith('/recover')) {
        server.store.recover(server.store.find('orders')!);
        server.store.set('orders', { value: 'in between' });
        return failed(404, 'SecretNotFound');
      }
      return null;
    };
    await expect(deliver('second', 2, expected)).rejects.toMatchObject({ fault: 'conflict' });
    expect(server.store.current('orders').value).toBe('in between');
  });
});
