import { describe, expect, it } from 'vitest';
import { Lanes } from '../../../src/daemon/bulk/lanes.ts';
import { DAY, HOUR } from '../../../src/domain/time.ts';

const key = (issuer: string, clientId: string) => ({ issuer, clientId });
const free = () => false;

describe('lanes', () => {
  it('give in the order of adding, over all issuers, and pass by one that is held', () => {
    const lanes = new Lanes();
    for (const each of [key('a', '1'), key('b', '2'), key('a', '3'), key('b', '4')]) lanes.add(each);
    expect(lanes.take(0, free)?.clientId).toBe('1');
    expect(lanes.take(0, (issuer) => issuer === 'b')?.clientId).toBe('3');
    expect(lanes.take(0, (issuer) => issuer === 'b')).toBeNull();
    expect([lanes.size, lanes.issuers]).toEqual([2, ['b']]);
    expect([lanes.take(0, free)?.clientId, lanes.take(0, free)?.clientId, lanes.take(0, free)]).toEqual([
      '2',
      '4',
      null,
    ]);
    expect([lanes.size, lanes.issuers]).toEqual([0, []]);
  });

  it('give who was to wait at its time, before the rest', () => {
    const lanes = new Lanes();
    lanes.add(key('a', '1'));
    lanes.addLater(key('a', '2'), 10);
    lanes.addLater(key('b', '3'), 5);
    expect([lanes.size, lanes.nextAt()]).toEqual([3, 5]);
    expect(lanes.take(10, (issuer) => issuer === 'a')?.clientId).toBe('3');
    expect(lanes.nextAt()).toBe(10);
    expect([lanes.take(9, free)?.clientId, lanes.take(9, free), lanes.take(10, free)?.clientId]).toEqual([
      '1',
      null,
      '2',
    ]);
    expect(lanes.nextAt()).toBeNull();
  });

  it('P8: give at once whose time a clock that was ahead has set: nobody waits for longer than an hour', () => {
    const lanes = new Lanes();
    lanes.addLater(key('a', '1'), HOUR);
    lanes.addLater(key('a', '2'), 2 * DAY);
    expect([lanes.take(0, free)?.clientId, lanes.take(0, free), lanes.take(HOUR, free)?.clientId]).toEqual([
      '2',
      null,
      '1',
    ]);
  });

  it('P8: give at its time, by the issuer, who a daemon with the right clock told to wait while ours is behind', () => {
    const lanes = new Lanes();
    lanes.addLater(key('a', '1'), 14 * HOUR);
    const issuerIsAhead = () => 13.5 * HOUR;
    expect(lanes.take(0, free, issuerIsAhead)).toBeNull();
    expect(lanes.take(14 * HOUR, free, () => 28 * HOUR)?.clientId).toBe('1');
  });
});
