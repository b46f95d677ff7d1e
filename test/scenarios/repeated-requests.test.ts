import { describe, expect, it } from 'vitest';
import type { RotateRequest } from '../../src/daemon/api.ts';
import { DAY, HOUR } from '../../src/domain/time.ts';
import { passServed, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

const KEY = { issuer: 'data8', clientId: 'shop' };
const LONG = { ...SHORT, lifetime: 90 * DAY, renewBefore: 30 * DAY, grace: 14 * DAY, provisional: DAY };

function request(key: string, body = 'a body', grace: number | null = null): RotateRequest {
  return { note: null, grace, actor: 'ci', once: { key, body } };
}

async function settled(): Promise<Stage> {
  const stage = new Stage({ policy: LONG });
  stage.issuer.addCredential('shop');
  await stage.start();
  await stage.pass(HOUR);
  return stage;
}

describe('a rotation that is asked for again with the same Idempotency-Key', () => {
  it('is the same one: at once, in its grace, after a restart, and while everything is paused', async () => {
    const stage = await settled();
    const first = await stage.daemon.rotate(KEY, request('k', 'b', 2 * DAY));
    const again = () => stage.daemon.rotate(KEY, request('k', 'b', 2 * DAY));
    expect(await again()).toEqual(first);
    await passServed(stage, 'shop', HOUR);
    expect((await stage.daemon.rotation(first.rotationId))?.state).toBe('grace');
    expect(await again()).toEqual(first);
    await stage.stop();
    await stage.start();
    expect(await again()).toEqual(first);
    await stage.daemon.pause(null, { until: null, note: null, actor: 'test' });
    expect(await again()).toEqual(first);
    expect(await stage.rotations('shop')).toHaveLength(2);
  });

  it('is refused with another body, and starts anew with another key', async () => {
    const stage = await settled();
    const first = await stage.daemon.rotate(KEY, request('k'));
    await passServed(stage, 'shop', HOUR);
    await expect(stage.daemon.rotate(KEY, request('k', 'another'))).rejects.toMatchObject({ kind: 'key-reused' });
    expect((await stage.daemon.rotate(KEY, request('other'))).rotationId).not.toBe(first.rotationId);
  });

  it('gets what it was told when it joined one, whatever others asked for since', async () => {
    const stage = await settled();
    stage.issuer.behaviour.acceptDelay = 30_000;
    const first = await stage.daemon.rotate(KEY, { note: null, grace: null, actor: 'ci' });
    const joined = await stage.daemon.rotate(KEY, request('k', 'b', 3 * DAY));
    expect(joined).toEqual({ rotationId: first.rotationId, grace: '3d' });
    await stage.daemon.rotate(KEY, request('other', 'b', DAY));
    expect(await stage.daemon.rotate(KEY, request('k', 'b', 3 * DAY))).toEqual(joined);
    await passServed(stage, 'shop', HOUR);
    expect(await stage.daemon.rotate(KEY, request('k', 'b', 3 * DAY))).toEqual(joined);
  });

  it('gets what it was told when it joined one that is being verified, also once that is over', async () => {
    const stage = await settled();
    stage.issuer.behaviour.acceptDelay = 30_000;
    const first = await stage.daemon.rotate(KEY, { note: null, grace: null, actor: 'ci' });
    await stage.pass(5_000);
    expect((await stage.daemon.rotation(first.rotationId))?.state).toBe('created');
    const joined = await stage.daemon.rotate(KEY, request('k', 'b', 3 * DAY));
    expect(joined.rotationId).toBe(first.rotationId);
    await passServed(stage, 'shop', HOUR);
    expect((await stage.daemon.rotation(first.rotationId))?.state).toBe('grace');
    expect(await stage.daemon.rotate(KEY, request('k', 'b', 3 * DAY))).toEqual(joined);
  });

  it('is a new one after a day; of many that join one rotation, the newest 20 are known', async () => {
    const stage = await settled();
    const first = await stage.daemon.rotate(KEY, request('k0'));
    for (let each = 1; each <= 20; each += 1) await stage.daemon.rotate(KEY, request(`k${each}`));
    await passServed(stage, 'shop', HOUR);
    expect((await stage.daemon.rotate(KEY, request('k1'))).rotationId).toBe(first.rotationId);
    expect((await stage.daemon.rotate(KEY, request('k0'))).rotationId).not.toBe(first.rotationId);
    await passServed(stage, 'shop', DAY, '', HOUR);
    expect((await stage.daemon.rotate(KEY, request('k1'))).rotationId).not.toBe(first.rotationId);
  });
});
