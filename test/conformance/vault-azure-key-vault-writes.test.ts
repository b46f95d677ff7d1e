import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import { openAzureBench } from './azure-key-vault-bench.ts';
import type { AzureBench } from './azure-key-vault-bench.ts';
import { makeMark } from './vault-bench.ts';

const ref = { entry: 'orders', options: {} };
const payload = (text: string) => ({ form: 'opaque', content: SecretValue.of(text) }) as const;
describe('azure-key-vault: what it writes, and what it leaves alone', () => {
  let bench: AzureBench;

  beforeEach(async () => {
    bench = await openAzureBench();
  });
  afterEach(async () => {
    await bench.close();
  });

  it('V16: a delivery whose answer was lost makes no second version', async () => {
    const { server } = bench;
    let lost = 1;
    server.interfere = ({ method, path, body }) => {
      if (method !== 'PUT' || body === '' || lost-- <= 0) return null;
      server.store.set(path.split('/')[2]!, JSON.parse(body) as object);
      return { status: 0, reset: true };
    };
    const attempt = () => bench.vault.deliver(ref, payload('value'), makeMark(1), ABSENT);
    await expect(attempt()).rejects.toMatchObject({ fault: 'unavailable' });
    expect(await attempt()).toEqual({ version: server.store.current('orders').id });
    expect(server.store.versions('orders')).toHaveLength(1);
  });

  it('V3: of two deliveries at once in this process the second sees the first', async () => {
    const results = await Promise.allSettled([
      bench.vault.deliver(ref, payload('a'), makeMark(1), ABSENT),
      bench.vault.deliver(ref, payload('b'), makeMark(2), ABSENT),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(results[1]).toMatchObject({ reason: { fault: 'conflict' } });
    expect(bench.server.store.versions('orders')).toHaveLength(1);
  });

  it('gives up a request under way as soon as the caller does', async () => {
    const reason = new Error('the caller gave up');
    const stop = new AbortController();
    bench.server.interfere = () => {
      stop.abort(reason);
      return null;
    };
    await expect(bench.vault.describe(ref, {}, stop.signal)).rejects.toBe(reason);
  });

  it('a secret of a certificate is locked', async () => {
    bench.server.store.set('orders', { value: 'pem' }).managed = true;
    const seen = await bench.vault.describe(ref);
    expect(seen).toMatchObject({
      state: 'present',
      mark: null,
      locked: expect.stringContaining('certificate') as string,
    });
    const version = seen.state === 'present' ? seen.version : '';
    await expect(bench.vault.deliver(ref, payload('x'), makeMark(1), version)).rejects.toMatchObject({
      fault: 'locked',
    });
    expect(bench.server.store.versions('orders')).toHaveLength(1);
  });

  it('V10: is locked, before anything is written, where others have taken the tags, soft-deleted or not', async () => {
    const { store } = bench.server;
    const why = expect.stringMatching(/8 tags of others.* only 7 have room: take some off/) as string;
    store.set('orders', {
      value: 'x',
      tags: Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`tag-${index}`, 'theirs'])),
    });
    for (const spoil of [() => undefined, () => store.delete('orders')]) {
      spoil();
      const seen = await bench.vault.describe(ref);
      expect(seen).toMatchObject({ state: 'present', locked: why });
      const version = seen.state === 'present' ? seen.version : '';
      const many = bench.vault.deliver(ref, payload('y'), makeMark(1), version);
      await expect(many).rejects.toMatchObject({ fault: 'locked', message: why });
    }
    expect(bench.server.writes).toEqual([]);
  });

  it('V10: fills the tags that have room, and takes none that is too long', async () => {
    const { id } = bench.server.store.set('orders', {
      value: 'x',
      tags: Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`tag-${index}`, 'theirs'])),
    });
    expect(await bench.vault.describe(ref)).not.toHaveProperty('locked');
    const long = bench.vault.deliver(ref, payload('y'), makeMark(1, { credential: 'c'.repeat(257) }), id);
    await expect(long).rejects.toMatchObject({
      fault: 'rejected',
      message: expect.stringContaining('rekeyd-credential would have more than 256') as string,
    });
    expect(bench.server.store.versions('orders')).toHaveLength(1);
    await bench.vault.deliver(ref, payload('y'), makeMark(1), id);
    expect(Object.keys(bench.server.store.current('orders').tags)).toHaveLength(15);
    expect(await bench.vault.describe(ref)).not.toHaveProperty('locked');
  });
});
