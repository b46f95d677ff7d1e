import { describe, expect, it } from 'vitest';
import type { RotateRequest } from '../../src/daemon/api.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { passServed, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

const KEY = { issuer: 'data8', clientId: 'shop' };
const OTHER = { issuer: 'data8', clientId: 'till' };
const LONG = { ...SHORT, lifetime: 90 * DAY, renewBefore: 30 * DAY, grace: 14 * DAY, provisional: DAY };
const request = (once?: RotateRequest['once']): RotateRequest => ({ note: null, grace: null, actor: 'ci', once });

async function settled(manualCooldown?: number): Promise<Stage> {
  const stage = new Stage({ policy: LONG, limits: { createsPerDay: 100, ...(manualCooldown && { manualCooldown }) } });
  for (const { clientId } of [KEY, OTHER]) stage.issuer.addCredential(clientId);
  await stage.start();
  await stage.pass(HOUR);
  return stage;
}

describe('limits.manualCooldown', () => {
  it('off, as by default: in grace a second trigger makes a new rotation at once', async () => {
    const stage = await settled();
    const first = await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', MINUTE);
    expect((await stage.daemon.rotate(KEY, request())).rotationId).not.toBe(first.rotationId);
  });

  it('refuses a second manual rotation until it is over, and says when that is', async () => {
    const stage = await settled(2 * HOUR);
    // what the schedule makes does not count
    const first = await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', HOUR / 2);
    expect((await stage.daemon.rotation(first.rotationId))?.state).toBe('grace');
    const refusal = {
      kind: 'too-soon',
      reason: 'manual-cooldown',
      retryAfter: (1.5 * HOUR) / SECOND,
      message: 'it was rotated by hand less than 2h ago (limits.manualCooldown)',
    };
    await expect(stage.daemon.rotate(KEY, request())).rejects.toMatchObject(refusal);
    expect(stage.issuer.count('createSecret')).toBe(3);
    expect((await stage.daemon.rotate(OTHER, request())).rotationId, 'of another credential').toBeDefined();
    await passServed(stage, 'shop', 1.5 * HOUR);
    expect((await stage.daemon.rotate(KEY, request())).rotationId).not.toBe(first.rotationId);
  });

  it('is kept in the ledger: a restart does not end it, nor do days', async () => {
    const stage = await settled(3 * DAY);
    await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', 2 * DAY, '', HOUR);
    await stage.stop();
    await stage.start();
    await expect(stage.daemon.rotate(KEY, request())).rejects.toMatchObject({ retryAfter: DAY / SECOND });
    await passServed(stage, 'shop', DAY, '', HOUR);
    await stage.daemon.rotate(KEY, request());
  });

  it('leaves alone what is in flight, and what was asked for before with the same Idempotency-Key', async () => {
    const stage = await settled(2 * HOUR);
    stage.issuer.behaviour.acceptDelay = 30_000;
    const once = { key: 'k', body: 'b' };
    const first = await stage.daemon.rotate(KEY, request(once));
    expect(await stage.daemon.rotate(KEY, request())).toEqual(first);
    await passServed(stage, 'shop', HOUR);
    expect(await stage.daemon.rotate(KEY, request(once))).toEqual(first);
    await expect(stage.daemon.rotate(KEY, request({ key: 'other', body: 'b' }))).rejects.toMatchObject({
      reason: 'manual-cooldown',
    });
  });

  it('is not made longer by a clock that is put back', async () => {
    const stage = await settled(HOUR);
    await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', MINUTE);
    stage.clock.jump(-20 * DAY);
    await expect(stage.daemon.rotate(KEY, request())).rejects.toMatchObject({ retryAfter: HOUR / SECOND });
  });
});
