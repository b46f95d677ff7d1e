import { describe, expect, it } from 'vitest';
import { ABSENT } from '../../src/vaults/contract.ts';
import { hashicorpVaultType } from '../../src/vaults/hashicorp-vault.ts';
import { makeMark } from './vault-bench.ts';
import { createTestContext } from './vault-context.ts';
import { DATA, fields, kvScene, METADATA, opaque, ref } from './hashicorp-kv-scene.ts';

const scene = kvScene();
const { look, deliver, failingAt } = scene;

describe('marks', () => {
  it('V14: knows each of the last values that is brought back, and tells one that is too old as broken', async () => {
    for (let generation = 1; generation <= 6; generation++) await deliver(generation);
    for (const generation of [5, 4, 3]) {
      await scene.hands.rollBack(ref.entry, generation);
      expect(await look()).toMatchObject({ mark: makeMark(generation), binding: 'bound' });
    }
    await scene.hands.rollBack(ref.entry, 1);
    expect(await look()).toMatchObject({ binding: 'broken' });
  });

  it('V17: tells a mark that was changed by hand', async () => {
    await deliver(1);
    const custom = await scene.hands.custom(ref.entry);
    const [name, line] = Object.entries(custom).find(([, text]) => text.startsWith('["rekeyd"'))!;
    await scene.hands.must('PATCH', scene.hands.metadata(ref.entry), {
      custom_metadata: { [name]: line.replace('"1"', '"9"') },
    });
    expect(await look()).toMatchObject({ mark: { generation: 9 }, binding: 'broken' });
  });

  it('are as a person reads them, too', async () => {
    await deliver(3);
    const custom = await scene.hands.custom(ref.entry);
    expect(custom).toMatchObject({
      'rekeyd-managed-by': 'rekeyd',
      'rekeyd-generation': '3',
      'rekeyd-secret-id': '1003',
    });
    expect(custom['rekeyd-binding']).toMatch(/^v1-[0-9a-f]{8}$/);
  });

  it('do not pile up, neither by deliveries nor by crashes, and leave what others keep', async () => {
    await scene.hands.put(ref.entry, { note: 'theirs' });
    const theirs = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`owner-${index}`, 'team-a']));
    await scene.hands.must('POST', scene.hands.metadata(ref.entry), { custom_metadata: theirs });
    for (let generation = 1; generation <= 8; generation++) {
      await failingAt('POST', DATA, 1, () => deliver(100 + generation));
      await failingAt('POST', DATA, 1, () => deliver(200 + generation));
      await failingAt('POST', DATA, 1, () => deliver(300 + generation));
      await deliver(generation);
      expect(await look()).toMatchObject({ mark: makeMark(generation), binding: 'bound' });
    }
    const custom = await scene.hands.custom(ref.entry);
    expect(custom).toMatchObject(theirs);
    expect(Object.keys(custom).length).toBeLessThan(64);
    expect(await scene.hands.get(ref.entry)).toMatchObject({ note: 'theirs' });
  });

  it('do not pile up by writes that fail again and again', async () => {
    await deliver(1);
    for (let generation = 2; generation <= 40; generation++)
      await failingAt('POST', DATA, 1, () => deliver(generation));
    expect(Object.keys(await scene.hands.custom(ref.entry)).length).toBeLessThan(24);
    expect(await look()).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    await deliver(41);
    expect(await look()).toMatchObject({ mark: makeMark(41), binding: 'bound' });
  });

  it('V3: find their place where somebody else has just made it, and the policy grants create without update', async () => {
    scene.server.script = ({ method, path }) => {
      if (method !== 'POST' || !METADATA.test(path)) return null;
      scene.server.store.putMetadata('prod/orders', { max_versions: 7 });
      return { status: 403, body: '{"errors":["permission denied"]}' };
    };
    await deliver(1);
    expect(await look()).toMatchObject({ mark: makeMark(1), binding: 'bound' });
  });

  it('V3: of one writer, written late, do not hide those of the next', async () => {
    await deliver(1);
    let marks = 0;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = await hashicorpVaultType.create(
      hashicorpVaultType.schema.parse({ url: scene.server.url, auth: { method: 'token', token: 'root' } }),
      createTestContext('slow', 2),
    );
    const before = await look();
    scene.server.script = (request) => {
      if (request.method === 'PATCH' && ++marks === 2) return { hang: true };
      return null;
    };
    const stop = new AbortController();
    const first = slow.deliver(ref, fields({ clientSecret: 'b' }), makeMark(2), before.version, stop.signal);
    const settled = first.catch(() => undefined);
    while (marks < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const lateMarks = scene.server.seen.findLast((request) => request.method === 'PATCH')!;
    await deliver(3);
    release();
    await held;
    scene.server.store.patchMetadata('prod/orders', lateMarks.body);
    expect((await scene.hands.custom(ref.entry))['rekeyd-generation']).toBe('2');
    expect(await look()).toMatchObject({ mark: makeMark(3), binding: 'bound' });
    stop.abort(new Error('over'));
    await settled;
  });

  it('that do not fit are refused before anything is written', async () => {
    const names = Array.from({ length: 40 }, (_, index) => [`A_RATHER_LONG_NAME_OF_A_FIELD_${index}`, 'x']);
    const wide = fields(Object.fromEntries(names) as Record<string, string>);
    const told = hashicorpVaultType.fieldsProblem(names.map(([name = '']) => name));
    expect(told).toMatch(/1\d{3} bytes.* 512.* fewer fields/);
    expect(hashicorpVaultType.fieldsProblem(['clientId', 'x'.repeat(497)])).toBeNull();
    expect(hashicorpVaultType.fieldsProblem(['clientId', 'x'.repeat(498)])).not.toBeNull();
    await expect(deliver(1, wide)).rejects.toMatchObject({
      fault: 'rejected',
      message: expect.stringContaining('names') as string,
    });
    const long = makeMark(1, { credential: 'c'.repeat(600) });
    await expect(scene.vault.deliver(ref, opaque('x'), long, ABSENT)).rejects.toMatchObject({ fault: 'rejected' });
    expect(scene.server.seen.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('are written where a mount asks for the version of its metadata (OpenBao)', async () => {
    scene.server.store.metadataCasRequired = true;
    await deliver(1);
    await deliver(2);
    expect(await look()).toMatchObject({ mark: makeMark(2), binding: 'bound' });
  });
});
