import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/domain/time.ts';
import { CLIENT, FIRST } from '../scene.ts';
import type { Scene } from '../scene.ts';
import { play, POLICY } from '../scripted.ts';

function settledAt(scene: Scene, secretId: string): number {
  return Math.max(...['a', 'b'].map((vault) => scene.servedFrom(vault, secretId)));
}

describe('P8: a host that is two days slow', () => {
  it('P8, I19: from the start: nothing is made on that clock, it is told, and goes on once the clock is right', async () => {
    const right = 3 * DAY;
    const scene = await play({
      length: 12 * DAY,
      machines: [{ ahead: -2 * DAY, disk: 0 }],
      script: (it) => {
        it.world.disturb(it.world.time.now, it.world.time.now + right);
        it.at(right, () => (it.installation(0).machine.ahead = 0));
      },
    });
    const states = scene.world.timeline.filter(({ what }) => what === 'credential-state');
    expect(states.some(({ about }) => JSON.stringify(about).includes('clock-skew'))).toBe(true);
    const [only, ...more] = scene.made();
    expect(more).toEqual([]);
    expect(only?.born).toBeGreaterThanOrEqual(right);
    expect(only?.born).toBeLessThan(right + DAY);
  });

  it('P8, I19: in the grace: nothing is deleted on that clock, and a full grace is kept after it', async () => {
    const [slow, right] = [2 * DAY, 5 * DAY];
    const scene = await play({
      length: 12 * DAY,
      script: (it) => {
        it.at(slow, () => {
          it.world.disturb(it.world.time.now, it.world.time.now + right - slow);
          it.installation(0).machine.ahead = -2 * DAY;
        });
        it.at(right, () => (it.installation(0).machine.ahead = 0));
      },
    });
    const [only] = scene.made();
    expect(scene.made()).toHaveLength(1);
    expect(scene.secret(FIRST).deleted).toBeGreaterThanOrEqual(right);
    expect(scene.secret(FIRST).deleted).toBeGreaterThanOrEqual(
      settledAt(scene, only?.secretId ?? '') + POLICY.grace - MINUTE,
    );
    expect(scene.secret(FIRST).deleted).toBeLessThan(right + DAY);
  });

  it('P8: two days fast instead: a date that has not come is not believed', async () => {
    const [fast, right] = [2 * DAY, 3 * DAY];
    const scene = await play({
      length: 12 * DAY,
      script: (it) => {
        it.at(fast, () => {
          it.world.disturb(it.world.time.now, it.world.time.now + DAY);
          it.installation(0).machine.ahead = 2 * DAY;
        });
        it.at(right, () => (it.installation(0).machine.ahead = 0));
      },
    });
    const [only] = scene.made();
    expect(scene.secret(FIRST).deleted).toBeGreaterThanOrEqual(
      settledAt(scene, only?.secretId ?? '') + POLICY.grace - MINUTE,
    );
  });
});

describe('P8: a daemon whose clock is 60 days fast', () => {
  it('P8: dies in a rotation: another one on its ledger takes it over within minutes, and no two work on it', async () => {
    const ahead = 60 * DAY;
    const scene = await play({
      length: 8 * DAY,
      machines: [
        { ahead: 0, disk: 0 },
        { ahead: 0, disk: 0 },
      ],
      script: (it) => {
        const [one, other] = [it.installation(0), it.installation(1)];
        other.isDown = true;
        it.upon(/^d0 issuer\.createSecret /, () => {
          it.world.disturb(it.world.time.now, it.world.time.now + DAY);
          one.machine.ahead = ahead;
          it.world.time.after(3 * MINUTE, () => {
            one.isDown = true;
            one.crash(SECOND);
            other.isDown = false;
            other.start();
          });
        });
      },
    });
    const [lost, next, ...more] = scene.made();
    expect(more).toEqual([]);
    expect(lost?.served).toBeNull();
    expect(next?.born).toBeLessThan((lost?.born ?? 0) + HOUR);
  });
});

describe('P8: a clock within its bound', () => {
  it.each([
    ['behind', -4 * MINUTE],
    ['ahead', 4 * MINUTE],
  ])('P8, I19: %s at settlement and put right later: the grace is not shortened', async (_name, ahead) => {
    const scene = await play({
      length: 8 * DAY,
      machines: [{ ahead, disk: 0 }],
      script: (it) => {
        it.at(2 * DAY, () => (it.installation(0).machine.ahead = 0));
        // somebody makes it look minutes before the date, between two scans: it wakes up at the very time that it fixed
        it.at(DAY + POLICY.grace + MINUTE / 2, () =>
          it.ask('resume', (daemon) => daemon.resume({ issuer: 'data8', clientId: CLIENT }, 'somebody')),
        );
      },
    });
    const [only] = scene.made();
    const settled = settledAt(scene, only?.secretId ?? '');
    expect(scene.secret(FIRST).deleted).toBeGreaterThanOrEqual(settled + POLICY.grace - 2 * SECOND);
    expect(scene.secret(FIRST).deleted).toBeLessThan(settled + POLICY.grace + 10 * MINUTE);
  });
});
