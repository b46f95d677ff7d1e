import { describe, expect, it } from 'vitest';
import { parseMarker } from '../../../src/domain/marker.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/domain/time.ts';
import { CLIENT, FIRST } from '../scene.ts';
import { play, POLICY } from '../scripted.ts';

describe('I21: the successor is deleted by hand in the grace', () => {
  it('I21, I17: what it replaced is the last live secret: it stays until another one had its full grace', async () => {
    const removed = 2 * DAY;
    const scene = await play({ length: 12 * DAY, script: (it) => it.at(removed, () => it.deleteByHand('2')) });
    const [gone, next, ...more] = scene.made();
    expect(gone?.deleted).toBe(removed);
    expect(more).toEqual([]);
    expect(next?.generation).toBe(2);
    // within a full look, and what lists and a refusal at the token endpoint take
    expect(next?.born).toBeLessThan(removed + scene.world.config.resync + HOUR);
    const delivered = Math.max(...['a', 'b'].map((vault) => scene.servedFrom(vault, next?.secretId ?? '')));
    // its grace goes on as it was fixed, and it is not deleted before another one is served everywhere
    expect(scene.secret(FIRST).deleted).toBeGreaterThan(delivered);
    expect(scene.secret(FIRST).deleted).toBeGreaterThanOrEqual(
      (scene.secret(FIRST).served ?? 0) + POLICY.grace - MINUTE,
    );
  });

  it('I21: an hour before the date', async () => {
    const removed = DAY + POLICY.grace - HOUR;
    const scene = await play({ length: 12 * DAY, script: (it) => it.at(removed, () => it.deleteByHand('2')) });
    const [, next] = scene.made();
    const delivered = Math.max(...['a', 'b'].map((vault) => scene.servedFrom(vault, next?.secretId ?? '')));
    expect(scene.secret(FIRST).deleted).toBeGreaterThan(delivered);
  });
});

describe('I20: PUT', () => {
  it('I20: ignored: nothing is delivered of a secret that was not extended, attempts are few, and it goes on once it works', async () => {
    const until = 4 * DAY;
    const scene = await play({
      length: 10 * DAY,
      script: (it) => {
        const { behaviour } = it.world.issuer;
        behaviour.put = 'ignore';
        it.world.disturb(it.world.time.now, it.world.time.now + until);
        it.at(until, () => (behaviour.put = 'replace'));
      },
    });
    const early = scene.made().filter(({ born }) => born < until - DAY);
    for (const { served, born, ends } of early) {
      expect(served).toBeNull();
      expect(ends).toBeLessThanOrEqual(born + DAY);
    }
    expect(early.length).toBeGreaterThanOrEqual(2);
    expect(early.length).toBeLessThanOrEqual(8);
    const last = scene.made().at(-1);
    expect(scene.made().filter(({ deleted }) => deleted === null)).toEqual([last]);
    expect(scene.servedFrom('a', last?.secretId ?? '')).toBeLessThan(until + DAY);
    expect(last?.ends).toBeGreaterThan((last?.born ?? 0) + POLICY.lifetime - HOUR);
  });

  it('I20: replacing: the marker is sent along, and a ledger that is lost afterwards knows its secrets by it', async () => {
    const scene = await play({ length: 20 * DAY, script: (it) => it.at(14 * DAY, () => it.loseLedger()) });
    expect(scene.made()).toHaveLength(2);
    for (const { secretId, born, ends } of scene.made()) {
      const versions = scene.world.issuer.find(CLIENT, secretId)?.versions ?? [];
      // created for a day, extended once
      expect(versions).toHaveLength(2);
      for (const { description } of versions) expect(parseMarker(description)?.instance).toBe('sim');
      expect(ends).toBeGreaterThan(born + POLICY.lifetime - HOUR);
    }
    expect(scene.made()[0]?.deleted).not.toBeNull();
  });
});

describe('I14: verification accepted by one node of two', () => {
  it('I14: nothing is delivered before the other one has heard of it, where `verify.settle` covers its cache', async () => {
    const behind = POLICY.verify.settle - 10 * SECOND;
    const scene = await play({
      length: 10 * DAY,
      script: (it) => {
        const { issuer } = it.world;
        let asked = 0;
        issuer.onCall('verify', () => {
          if (it.now < DAY - MINUTE) return;
          // one call meets the node that knows it at once, the next one the other
          issuer.behaviour.acceptDelay = asked % 2 === 0 ? 0 : behind;
          asked += 1;
        });
      },
    });
    const [only, ...more] = scene.made();
    expect(more).toEqual([]);
    for (const vault of ['a', 'b']) {
      expect(scene.servedFrom(vault, only?.secretId ?? '')).toBeGreaterThanOrEqual((only?.born ?? 0) + behind);
    }
  });

  it('I14: a cache that is longer than `verify.settle` is seen after the extension: the second question waits it out', async () => {
    const behind = 3 * POLICY.verify.settle;
    const scene = await play({
      length: 10 * DAY,
      script: (it) => {
        const { issuer } = it.world;
        let asked = 0;
        issuer.onCall('verify', () => {
          if (it.now < DAY - MINUTE) return;
          issuer.behaviour.acceptDelay = asked === 0 ? 0 : behind;
          asked += 1;
        });
      },
    });
    const [only, ...more] = scene.made();
    expect(more).toEqual([]);
    for (const vault of ['a', 'b']) {
      expect(scene.servedFrom(vault, only?.secretId ?? '')).toBeGreaterThanOrEqual((only?.born ?? 0) + behind);
    }
  });
});
