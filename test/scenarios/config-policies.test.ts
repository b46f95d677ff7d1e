import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import {
  expectSound,
  jsonByHand,
  markAt,
  reconfigure,
  secretIds,
  servingStage,
  stageByHand,
  valueOf,
} from './scene.ts';
import { DEFAULT_POLICY, ruleFor } from './stage.ts';

describe('unmanaged: delete', () => {
  it('a secret made by hand goes with the next rotation, a full grace after it was first seen, and not if young', async () => {
    const stage = stageByHand({ policy: { unmanaged: 'delete' } });
    const other = '[rekeyd:other:1:01890000-0000-7000-8000-000000000001:00000000]';
    stage.issuer.addSecret('shop', { description: `theirs ${other}` }, DAY);
    await stage.start();
    await stage.pass(5 * DAY, DAY);
    const young = stage.issuer.addSecret('shop', {}).secretId;
    await stage.pass(8 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2', '3', '4', young]);
    await stage.pass(2 * DAY, DAY);
    // the marked one is another rekeyd's; the young one came after the rotation settled
    expect(secretIds(stage)).toEqual(['3', '4', young]);
    await stage.pass(30 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['3', '4', young]);
    await expectSound(stage, 'shop', ['1', '2']);
  });

  it('one whose rule says keep again in mid-grace is left alone', async () => {
    const stage = stageByHand({ policy: { unmanaged: 'delete' } });
    await stage.start();
    await stage.pass(5 * DAY, DAY);
    await reconfigure(stage, { rules: [ruleFor(DEFAULT_POLICY, ['a', 'b'])] });
    await stage.pass(20 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    await expectSound(stage);
  });

  it('one that an entry names, or with an unproven destination, stays', async () => {
    const stage = stageByHand({ policy: { unmanaged: 'delete' } });
    await stage.start();
    await stage.pass(HOUR);
    stage.vault('b').editByHand('shop', jsonByHand(valueOf(stage, '2'), '2'));
    stage.vault('b').fail({ fault: 'denied', operations: ['deliver'] });
    await stage.pass(16 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    await expectSound(stage);
  });
});

describe('retire: manual', () => {
  it('the old secret stays past its grace, until a person retires the rotation', async () => {
    const stage = await servingStage({ policy: { retire: 'manual' } });
    const { rotationId } = await stage.daemon.rotate(
      { issuer: 'data8', clientId: 'shop' },
      { note: null, grace: null, actor: 'test' },
    );
    await stage.pass(30 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    const plan = await stage.daemon.plan();
    expect(plan.items.find((each) => each.secretIds.includes('1'))).toMatchObject({ action: 'retire' });
    expect(stage.issuer.count('deleteSecret')).toBe(0);

    await stage.daemon.retire(rotationId, 'test');
    await stage.pass(5 * MINUTE, MINUTE);
    expect(secretIds(stage)).toEqual(['2']);
    expect((await stage.daemon.rotation(rotationId))?.state).toBe('done');
    await expectSound(stage);
  });

  it('a request to retire ends the grace, and still asks for the proof', async () => {
    const stage = await servingStage();
    const { rotationId } = await stage.daemon.rotate(
      { issuer: 'data8', clientId: 'shop' },
      { note: null, grace: null, actor: 'test' },
    );
    await stage.pass(HOUR);
    stage.vault('b').rollBack('shop');
    stage.vault('b').fail({ fault: 'denied', operations: ['deliver'] });
    await stage.daemon.retire(rotationId, 'test');
    await stage.pass(DAY, HOUR);
    expect(secretIds(stage)).toEqual(['1', '2']);
    stage.vault('b').mend();
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'b')?.generation).toBe(2);
    await expectSound(stage);
  });
});
