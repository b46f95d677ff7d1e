import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Mark } from '../../src/domain/mark.ts';
import type { Payload } from '../../src/domain/payload.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { EntryRef } from '../../src/vaults/contract.ts';
import { Refused } from '../fakes/gcp-secret-store.ts';
import type { FakeSecret } from '../fakes/gcp-secret-store.ts';
import { errorOf, openGcpBench } from './gcp-secret-manager-bench.ts';
import type { GcpBench } from './gcp-secret-manager-bench.ts';
import { makeMark } from './vault-bench.ts';

const ref: EntryRef = { entry: 'orders', options: {} };
const KEY = 'projects/p/locations/global/keyRings/r/cryptoKeys/k';

let bench: GcpBench;
beforeEach(async () => {
  bench = await openGcpBench();
});
afterEach(() => bench.close());

function payload(text: string): Payload {
  return { form: 'opaque', content: SecretValue.of(text) };
}

async function look() {
  const seen = await bench.vault.describe(ref, { prove: true });
  if (seen.state === 'absent') throw new Error('absent');
  return seen;
}

async function put(text: string, mark: Mark): Promise<string> {
  const seen = await bench.vault.describe(ref, { prove: true });
  const expected = seen.state === 'absent' ? ABSENT : seen.version;
  return (await bench.vault.deliver(ref, payload(text), mark, expected)).version;
}

function putByHand(text: string): Promise<void> {
  bench.service.store.create('orders', { replication: { automatic: {} } });
  bench.service.store.add('orders', Buffer.from(text), undefined);
  return Promise.resolve();
}

function stored(): FakeSecret {
  return bench.service.store.find('orders');
}

function callsOf(...calls: string[]): number {
  return bench.service.requests.filter(({ call }) => calls.includes(call)).length;
}

describe('gcp-secret-manager: what consumers get', () => {
  it.each(['DISABLED', 'DESTROYED'] as const)(
    'V12, V14: a newest version that is %s is an entry without value, though the one before can be read',
    async (state) => {
      await put('value one', makeMark(1));
      await put('value two', makeMark(2));
      bench.service.store.setState('orders', 'latest', state);
      for (const prove of [true, false]) {
        expect(await bench.vault.describe(ref, { prove })).toMatchObject({ mark: makeMark(2), binding: 'broken' });
      }
      expect(await bench.vault.read(ref)).toMatchObject({ state: 'present', payload: null });
      await put('value two', makeMark(2));
      expect(await look()).toMatchObject({ mark: makeMark(2), binding: 'bound' });
      expect(stored().versions).toHaveLength(3);
    },
  );

  it('V12: a key that may not be used is an error, no missing value', async () => {
    await put('value one', makeMark(1));
    bench.service.interfere = ({ call }) =>
      call === 'access' ? { refuse: new Refused(400, 'FAILED_PRECONDITION', 'KMS key is disabled') } : null;
    expect(await errorOf(look())).toMatchObject({
      fault: 'unavailable',
      message: expect.stringMatching(/KMS/) as string,
    });
  });

  it('V12: bytes that are no text are an entry without value', async () => {
    bench.service.store.create('orders', { replication: { automatic: {} } });
    bench.service.store.add('orders', Buffer.from([0xff, 0xfe, 0x00]), undefined);
    expect(await look()).toMatchObject({ mark: null, binding: 'broken' });
    expect(await bench.vault.read(ref)).toMatchObject({ state: 'present', payload: null });
  });

  it('V14: an older value that is added again is the generation that it was', async () => {
    for (const generation of [1, 2, 3]) await put(`value ${generation}`, makeMark(generation));
    bench.service.store.add('orders', Buffer.from('value 2'), undefined);
    expect(await look()).toMatchObject({ mark: makeMark(2), binding: 'bound' });
    await put('value 3', makeMark(3));
    expect(await look()).toMatchObject({ mark: makeMark(3), binding: 'bound' });
  });

  it('V17: a mark that was edited by hand is broken', async () => {
    await put('value one', makeMark(1));
    const { annotations } = stored();
    const edited = annotations['rekeyd-mark-1']!.replace('"generation":"1"', '"generation":"9"');
    bench.service.store.update('orders', { annotations: { ...annotations, 'rekeyd-mark-1': edited } }, ['annotations']);
    expect(await look()).toMatchObject({ mark: { generation: 9 }, binding: 'broken' });
    expect(await bench.vault.describe(ref)).toMatchObject({ binding: 'unproven' });
  });

  it('a secret that was deleted and made again has another version, though the number is the same', async () => {
    const version = await put('value one', makeMark(1));
    bench.service.store.secrets.delete('orders');
    bench.service.store.create('orders', { replication: { automatic: {} } });
    bench.service.store.add('orders', Buffer.from("somebody else's"), undefined);
    expect((await look()).version).not.toBe(version);
    expect(await errorOf(bench.vault.restoreMark(ref, makeMark(1), version))).toMatchObject({ fault: 'conflict' });
  });

  it('tells once of a secret that ends by itself, which rekeyd never asks for', async () => {
    await put('value one', makeMark(1));
    expect(JSON.stringify(bench.service.requests)).not.toMatch(/expire|ttl/i);
    stored().expireTime = '2031-01-01T00:00:00Z';
    await look();
    await look();
    const told = bench.context.printed().match(/vault-entry-ends/g);
    expect(told).toHaveLength(1);
    expect(bench.context.printed()).toContain('2031-01-01T00:00:00.000Z');
  });
});

describe('gcp-secret-manager: what it writes', () => {
  it('takes a secret without any version as an empty place, and needs no right to make one', async () => {
    const replication = { userManaged: { replicas: [{ location: 'europe-west2' }] } };
    bench.service.store.create('orders', { replication, labels: { team: 'payments' }, annotations: { owner: 'a' } });
    expect(await bench.vault.describe(ref)).toEqual({ state: 'absent' });
    expect(await bench.vault.read(ref)).toEqual({ state: 'absent' });
    await put('value one', makeMark(1));
    expect(await look()).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    expect(callsOf('create')).toBe(0);
    expect(stored()).toMatchObject({ replication, labels: { team: 'payments' }, annotations: { owner: 'a' } });
  });

  it('V16: writes nothing where nothing changed, and no version where only the mark did', async () => {
    const version = await put('value one', makeMark(1));
    bench.service.requests.length = 0;
    expect(await bench.vault.deliver(ref, payload('value one'), makeMark(1), version)).toEqual({ version });
    expect(callsOf('update', 'addVersion', 'create', 'disable')).toBe(0);
    expect(await bench.vault.deliver(ref, payload('value one'), makeMark(2), version)).toEqual({ version });
    expect(stored().versions).toHaveLength(1);
    expect(await look()).toMatchObject({ mark: makeMark(2), binding: 'bound' });
  });

  it('keeps the marks of the last four versions, and forgets its claim', async () => {
    for (let generation = 1; generation <= 6; generation += 1) {
      await put(`value ${generation}`, makeMark(generation));
    }
    expect(Object.keys(stored().annotations).sort()).toEqual([3, 4, 5, 6].map((number) => `rekeyd-mark-${number}`));
  });

  it('V10: gives up older marks where annotations of others leave little room', async () => {
    for (const generation of [1, 2, 3]) await put(`value ${generation}`, makeMark(generation));
    const { annotations } = stored();
    const fill = (bytes: number) =>
      bench.service.store.update('orders', { annotations: { ...annotations, big: 'x'.repeat(bytes) } }, [
        'annotations',
      ]);
    fill(15_300);
    await put('value 4', makeMark(4));
    expect(await look()).toMatchObject({ mark: makeMark(4), binding: 'bound' });
    expect(Object.keys(stored().annotations)).not.toContain('rekeyd-mark-1');
    expect(Object.keys(stored().annotations)).toContain('rekeyd-mark-3');
    expect(stored().annotations['big']).toHaveLength(15_300);
  });

  it.each([
    ['that carries our mark', () => put('value one', makeMark(1)), 15_700],
    ['of somebody else', () => putByHand('value one'), 15_300],
  ])('V10: a secret %s is locked where annotations of others leave no room', async (_whose, make, bytes) => {
    await make();
    const { annotations } = stored();
    const fill = (count: number) =>
      bench.service.store.update('orders', { annotations: { ...annotations, big: 'x'.repeat(count) } }, [
        'annotations',
      ]);
    fill(15_000);
    expect(await look()).not.toHaveProperty('locked');
    fill(bytes);
    const why = expect.stringMatching(/16 KiB.*take some of the others off/) as string;
    for (const prove of [true, false])
      expect(await bench.vault.describe(ref, { prove })).toMatchObject({ locked: why });
    const { version } = await look();
    bench.service.requests.length = 0;
    const error = await errorOf(bench.vault.deliver(ref, payload('value 5'), makeMark(5), version));
    expect(error).toMatchObject({ fault: 'locked', message: why });
    expect(callsOf('update', 'addVersion')).toBe(0);
  });

  it('V10: what is not locked has room for a delivery', async () => {
    await put('value one', makeMark(1));
    let delivered = 0;
    for (let bytes = 15_400; bytes < 15_800; bytes += 16) {
      const annotations = { ...stored().annotations, big: 'x'.repeat(bytes) };
      bench.service.store.update('orders', { annotations }, ['annotations']);
      const seen = await look();
      if (seen.locked !== undefined) break;
      await bench.vault.deliver(ref, payload(`value of ${bytes}`), makeMark(bytes), seen.version);
      delivered += 1;
    }
    expect(await look()).toHaveProperty('locked');
    expect(delivered).toBeGreaterThan(0);
  });

  it('labels secrets for finding them, in the letters that labels take', async () => {
    await put('value one', makeMark(1, { instance: 'Prod.EU' }));
    expect(stored().labels).toEqual({ 'rekeyd-managed-by': 'rekeyd', 'rekeyd-instance': 'prod-eu' });
    const full = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`l${index}`, '']));
    bench.service.store.update('orders', { labels: full }, ['labels']);
    await put('value two', makeMark(2));
    expect(stored().labels).toEqual(full);
  });

  it.each([
    ['automatically', {}, { automatic: {} }],
    ['with a key', { kmsKey: KEY }, { automatic: { customerManagedEncryption: { kmsKeyName: KEY } } }],
    [
      'in locations',
      { locations: ['europe-west2', 'europe-west1'] },
      { userManaged: { replicas: [{ location: 'europe-west2' }, { location: 'europe-west1' }] } },
    ],
    [
      'in locations, each with its key',
      { locations: ['europe-west2'], kmsKey: KEY.replace('global', '{location}') },
      {
        userManaged: {
          replicas: [
            {
              location: 'europe-west2',
              customerManagedEncryption: { kmsKeyName: KEY.replace('global', 'europe-west2') },
            },
          ],
        },
      },
    ],
  ])('makes secrets that are replicated %s', async (_, options, replication) => {
    const { vault } = await bench.another(options);
    await vault.deliver(ref, payload('value one'), makeMark(1), ABSENT);
    expect(stored().replication).toEqual(replication);
  });
});
