import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/domain/time.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { MemoryIssuer } from '../../fakes/memory-issuer.ts';
import type { MemoryIssuerBehaviour } from '../../fakes/memory-account.ts';

function open(behaviour: Partial<MemoryIssuerBehaviour> = {}) {
  const ports = createManualPorts();
  const issuer = new MemoryIssuer(ports, { behaviour });
  issuer.addCredential('a', 'A');
  const wish = (description = '', life = DAY) => ({ expires: ports.clock.now() + life, description });
  return { ports, issuer, wish };
}

// The scenarios stand on this fake: what it claims to do, it must do.
describe('the memory issuer', () => {
  it('I10: lists lag behind creations, changes and deletions', async () => {
    const { ports, issuer, wish } = open({ lag: MINUTE });
    const { secretId } = await issuer.createSecret('a', wish('one'));
    expect(await issuer.listSecrets('a')).toEqual([]);
    await ports.clock.advance(MINUTE);
    expect(await issuer.listSecrets('a')).toMatchObject([{ description: 'one' }]);
    await issuer.updateSecret('a', secretId, wish('two'));
    expect(await issuer.listSecrets('a')).toMatchObject([{ description: 'one' }]);
    await ports.clock.advance(MINUTE);
    expect(await issuer.listSecrets('a')).toMatchObject([{ description: 'two' }]);
    await issuer.deleteSecret('a', secretId);
    expect(await issuer.listSecrets('a')).toHaveLength(1);
    await ports.clock.advance(MINUTE);
    expect(await issuer.listSecrets('a')).toEqual([]);
  });

  it('I14: accepts a secret late, and a deleted one for a while', async () => {
    const { ports, issuer, wish } = open({ acceptDelay: 10 * SECOND, revokeDelay: 5 * SECOND });
    const { secretId, value } = await issuer.createSecret('a', wish());
    expect(await issuer.verify('a', value)).toBe('refused');
    await ports.clock.advance(10 * SECOND);
    expect(await issuer.verify('a', value)).toBe('accepted');
    await issuer.deleteSecret('a', secretId);
    expect(issuer.isAccepted('a', value.reveal())).toBe(true);
    await ports.clock.advance(5 * SECOND);
    expect(issuer.isAccepted('a', value.reveal())).toBe(false);
  });

  it('I13, I16: cuts lifetimes and counts what is alive', async () => {
    const { ports, issuer, wish } = open({ maxLifetime: HOUR, cap: 1 });
    expect((await issuer.createSecret('a', wish())).expires).toBe(ports.clock.now() + HOUR);
    await expect(issuer.createSecret('a', wish())).rejects.toMatchObject({ fault: 'rejected', status: 400 });
    await ports.clock.advance(HOUR);
    await issuer.createSecret('a', wish());
  });

  it('I19, I20: has a clock of its own, and may ignore PUT', async () => {
    const { issuer, wish } = open({ skew: 2 * DAY, put: 'ignore' });
    const { secretId, value } = await issuer.createSecret('a', wish('one'));
    expect(issuer.skew()).toBe(2 * DAY);
    expect(await issuer.verify('a', value)).toBe('refused');
    await issuer.updateSecret('a', secretId, wish('two'));
    expect(issuer.secrets('a')).toMatchObject([{ description: 'one' }]);
  });

  it.each([
    ['lost-before', 'unavailable', false, 0, 0],
    ['refused', 'unavailable', true, 0, 0],
    ['applied-and-lost', 'unavailable', false, 1, 1],
    ['malformed', 'malformed', false, 1, 1],
    ['late', 'unavailable', false, 0, 1],
    [{ late: 20 * SECOND }, 'unavailable', false, 0, 1],
    [429, 'throttled', true, 0, 0],
    [403, 'forbidden', true, 0, 0],
    [500, 'unavailable', false, 0, 0],
  ] as const)('I1, I2: %j', async (outcome, fault, surelyNotApplied, atOnce, later) => {
    const { ports, issuer, wish } = open();
    issuer.fault('createSecret', outcome);
    await expect(issuer.createSecret('a', wish())).rejects.toMatchObject({ fault, surelyNotApplied });
    expect(issuer.secrets('a')).toHaveLength(atOnce);
    await ports.clock.advance(MINUTE);
    expect(issuer.secrets('a')).toHaveLength(later);
    await issuer.createSecret('a', wish());
    expect(issuer.count('createSecret', 'a')).toBe(2);
  });

  it('meets faults in order, as often as said, for the credential that is named', async () => {
    const { issuer, wish } = open();
    issuer.addCredential('b');
    issuer.fault('createSecret', 500, { clientId: 'a', times: 2 });
    issuer.fault('verify', 'refused', { times: Infinity });
    const { value } = await issuer.createSecret('b', wish());
    await expect(issuer.createSecret('a', wish())).rejects.toMatchObject({ status: 500 });
    await expect(issuer.createSecret('a', wish())).rejects.toMatchObject({ status: 500 });
    await issuer.createSecret('a', wish());
    expect(await issuer.verify('b', value)).toBe('refused');
    issuer.heal();
    expect(await issuer.verify('b', value)).toBe('accepted');
  });

  it('runs hooks before and after the effect', async () => {
    const { issuer, wish } = open();
    const seen: number[] = [];
    issuer.onCall('createSecret', () => void seen.push(issuer.secrets('a').length));
    issuer.onApplied('createSecret', () => {
      seen.push(issuer.secrets('a').length);
      throw new Error('crash');
    });
    await expect(issuer.createSecret('a', wish())).rejects.toThrow('crash');
    expect(seen).toEqual([0, 1]);
  });
});

describe('manual time', () => {
  it('wakes sleepers in order, each at its own time', async () => {
    const { clock } = createManualPorts(0);
    const woke: [string, number][] = [];
    const sleep = (name: string, duration: number) => clock.sleep(duration).then(() => woke.push([name, clock.now()]));
    void sleep('b', 20).then(() => sleep('d', 5));
    void sleep('a', 10);
    void sleep('c', 25);
    await clock.advance(30);
    expect(woke).toEqual([
      ['a', 10],
      ['b', 20],
      ['c', 25],
      ['d', 25],
    ]);
    expect([clock.now(), clock.monotonic(), clock.pending]).toEqual([30, 30, 0]);
  });

  it('moves on until a promise settles, and says when it never would', async () => {
    const { clock } = createManualPorts(0);
    expect(await clock.until(clock.sleep(HOUR).then(() => clock.now()))).toBe(HOUR);
    await expect(clock.until(new Promise(() => undefined))).rejects.toThrow('nothing is left to wait for');
    await expect(clock.until(clock.sleep(DAY), HOUR)).rejects.toThrow('still waiting');
  });

  it('jumps and freezes', async () => {
    const { clock } = createManualPorts(0);
    clock.jump(-HOUR);
    expect([clock.now(), clock.monotonic()]).toEqual([-HOUR, 0]);
    let wokeAt = 0;
    void clock.sleep(SECOND).then(() => (wokeAt = clock.monotonic()));
    await clock.freeze(MINUTE);
    expect(wokeAt).toBe(MINUTE);
  });

  it('fires schedules by time, or by hand', async () => {
    const { clock } = createManualPorts(0);
    const fired: number[] = [];
    const schedule = clock.schedule('*/15 * * * *', 'UTC', () => fired.push(clock.now()));
    expect(schedule.next()).toBe(15 * MINUTE);
    await clock.advance(31 * MINUTE);
    expect(fired).toEqual([15 * MINUTE, 30 * MINUTE]);
    schedule.stop();
    await clock.advance(HOUR);
    expect(fired).toHaveLength(2);
    expect(schedule.next()).toBeNull();
    clock.schedule('0 3 * * 1', 'UTC', () => fired.push(-1));
    await clock.advance(DAY);
    clock.schedules.at(-1)!.fire();
    expect(fired.at(-1)).toBe(-1);
    expect(fired).toHaveLength(3);
  });

  it('gives the same numbers and ids for the same seed', () => {
    const run = (seed: number) => {
      const { random, ids, clock } = createManualPorts(undefined, seed);
      return [random.next(), random.next(), ids.rotationId(clock.now()), ids.unique()];
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
    expect(run(7)[2]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
