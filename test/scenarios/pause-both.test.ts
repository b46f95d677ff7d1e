import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/time.ts';
import { deletedAfter, pause, settled, untilState } from './pause-scene.ts';
import { SHOP } from './scene.ts';
import { passServed, SHORT } from './short-lives.ts';
import type { Stage } from './stage.ts';

/** Minutes since the grace of an hour began. */
interface Spell {
  readonly of: 'one' | 'all';
  readonly from: number;
  readonly to: number;
}

const one = (from: number, to: number): Spell => ({ of: 'one', from, to });
const all = (from: number, to: number): Spell => ({ of: 'all', from, to });

/** The pauses, and how many minutes lay in any of them. */
const TABLE: readonly (readonly [name: string, spells: readonly Spell[], paused: number])[] = [
  ['of everything, then of its own', [all(10, 30), one(40, 110)], 90],
  ['of its own, then of everything', [one(10, 30), all(40, 110)], 90],
  ['of everything, into one of its own', [all(10, 80), one(40, 120)], 110],
  ['of its own, into one of everything', [one(50, 110), all(55, 150)], 100],
  ['of its own within one of everything', [all(45, 200), one(50, 100)], 155],
  ['of everything within one of its own', [one(15, 130), all(40, 100)], 115],
  ['by turns', [all(5, 25), one(30, 70), all(75, 95), one(100, 140)], 120],
];

describe.each(['resumed', 'ended by themselves'] as const)('C9: pauses of both kinds, %s: a grace runs', (ending) => {
  it.each(TABLE)('only outside of them: %s', async (_name, spells, paused) => {
    const stage = await settled([], { policy: { ...SHORT, lifetime: 24 * HOUR, renewBefore: 12 * HOUR } });
    await untilState(stage, 'grace');
    const began = Date.parse(String((await stage.rotations('shop'))[0]?.deliveredAt));
    const acts = spells.flatMap((spell) => [
      { at: spell.from, act: () => begin(stage, spell, ending === 'resumed' ? null : began + spell.to * MINUTE) },
      ...(ending === 'resumed' ? [{ at: spell.to, act: () => end(stage, spell) }] : []),
    ]);
    for (const { at, act } of acts.sort((left, right) => left.at - right.at)) {
      await passServed(stage, 'shop', began + at * MINUTE - stage.clock.now());
      await act();
    }
    await deletedAfter(stage, began + HOUR + paused * MINUTE);
    expect(stage.issuer.secrets('shop').map((each) => each.secretId)).toEqual(['2']);
  });
});

async function begin(stage: Stage, { of }: Spell, until: number | null): Promise<void> {
  await stage.daemon.pause(of === 'one' ? SHOP : null, pause({ until }));
}

async function end(stage: Stage, { of }: Spell): Promise<void> {
  await stage.daemon.resume(of === 'one' ? SHOP : null, 'test');
}
