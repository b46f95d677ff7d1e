import { describe, expect, it } from 'vitest';
import { MINUTE, SECOND } from '../../../src/domain/time.ts';
import type { Duration } from '../../../src/domain/time.ts';
import { LifeCheck } from '../../../src/rotation/life-check.ts';

/** A clock that an issuer's answers move on, as they take their time. */
class Asked {
  now = 0;
  questions = 0;
  takes: Duration = 0;
  deleted = false;
  readonly clock = { now: () => this.now, monotonic: () => this.now };

  check(knownAt: number | null): LifeCheck {
    return new LifeCheck(this.clock, knownAt, async () => {
      this.questions += 1;
      const { deleted } = this;
      await Promise.resolve();
      this.now += this.takes;
      return deleted;
    });
  }
}

describe('P7, I17: whether a secret lives, right before its value is written', () => {
  it('is not asked while the last answer is two minutes old at most', async () => {
    const asked = new Asked();
    const life = asked.check(0);
    asked.deleted = true;
    asked.now = 2 * MINUTE;
    expect(await life.isAlive()).toBe(true);
    expect(asked.questions).toBe(0);
    asked.now += 1;
    expect(await life.isAlive()).toBe(false);
    expect(asked.questions).toBe(1);
  });

  it('is asked where the clock was put back meanwhile', async () => {
    const asked = new Asked();
    const life = asked.check(10 * MINUTE);
    expect(await life.isAlive()).toBe(true);
    expect(asked.questions).toBe(1);
  });

  it('is asked where it is doubted, and then taken for granted as long as before', async () => {
    const asked = new Asked();
    const life = asked.check(0);
    life.doubt();
    expect(await life.isAlive()).toBe(true);
    expect(await life.isAlive()).toBe(true);
    expect(asked.questions).toBe(1);
  });

  it('is asked once for all that want to know at the same time', async () => {
    const asked = new Asked();
    const life = asked.check(null);
    expect(await Promise.all([life.isAlive(), life.isAlive(), life.isAlive()])).toEqual([true, true, true]);
    expect(asked.questions).toBe(1);
  });

  it('is asked again where a freeze came before the answer was heard', async () => {
    const asked = new Asked();
    const life = asked.check(null);
    asked.takes = 30 * MINUTE;
    const first = life.isAlive();
    asked.deleted = true;
    await Promise.resolve();
    asked.takes = SECOND;
    expect(await first).toBe(false);
    expect(asked.questions).toBe(2);
  });

  it('is not asked for ever where each answer takes long', async () => {
    const asked = new Asked();
    asked.takes = 3 * MINUTE;
    expect(await asked.check(null).isAlive()).toBe(true);
    expect(asked.questions).toBe(3);
  });

  it('passes on what asking throws, and asks anew the next time', async () => {
    let answer = (): Promise<boolean> => Promise.reject(new Error('no answer'));
    const life = new LifeCheck(new Asked().clock, null, () => answer());
    await expect(life.isAlive()).rejects.toThrow('no answer');
    answer = () => Promise.resolve(false);
    expect(await life.isAlive()).toBe(true);
  });
});
