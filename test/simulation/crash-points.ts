import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { CLIENT, FIRST } from './scene.ts';
import type { Scene } from './scene.ts';
import { furnish, planOf, POLICY } from './scripted.ts';
import type { Scenario } from './scripted.ts';
import { simulate } from './simulate.ts';
import type { CallLabel, Fault } from './weather.ts';

/** When it is killed: before the request leaves, when it is applied, or before the answer is heard. */
const SIDES = ['crash-before', 'crash-applied', 'crash-after'] as const satisfies readonly Fault[];

/** The daemon is killed at its n-th call, counted from 0. */
export interface CrashPoint {
  readonly call: number;
  readonly side: (typeof SIDES)[number];
}

/** How a run with some crashes went. */
export interface CrashRun {
  readonly calls: readonly CallLabel[];
  /** What did not hold, or did not come to rest; null: all well. */
  readonly problem: string | null;
}

/**
 * One credential, two vaults, one rotation that is due at once, and its retirement half an hour later: short lives, so that
 * a run takes few events. What comes after that is time to recover in.
 */
const SHORT: Scenario = {
  length: 3 * HOUR,
  downtime: MINUTE,
  expires: 3 * HOUR - MINUTE,
  policy: {
    lifetime: 10 * HOUR,
    renewBefore: 3 * HOUR,
    provisional: 2 * HOUR,
    grace: HOUR / 2,
    verify: { ...POLICY.verify, settle: 15 * SECOND },
  },
  config: { scanHours: 1, resync: HOUR },
};

/** Runs the short scenario with the daemon killed at these points, and run again a minute later. */
export async function runWith(points: readonly CrashPoint[]): Promise<CrashRun> {
  const sides = new Map(points.map(({ call, side }) => [call, side]));
  const calls: CallLabel[] = [];
  const played: Scene[] = [];
  const { violation } = await simulate(
    {
      ...planOf(SHORT),
      incidents: [],
      forced: (call, count) => {
        calls.push(call);
        return sides.get(count) ?? null;
      },
    },
    { prepare: (world) => void played.push(furnish(world, SHORT)), heal: () => undefined },
  );
  const [scene] = played;
  const problem = violation === null ? unrest(scene) : `${violation.invariant}: ${violation.what}`;
  return { calls, problem };
}

/** What is not as it is to be in the end: one live secret, which both vaults serve; all others deleted. */
function unrest(scene: Scene | undefined): string | null {
  if (scene === undefined) return 'the world was not prepared';
  const left = scene.secrets().filter(({ deleted }) => deleted === null);
  const [last] = left;
  if (last === undefined || left.length > 1) return `secrets ${left.map((each) => each.secretId).join(', ')} are left`;
  if (last.secretId === FIRST) return 'it was not replaced';
  const lacks = ['a', 'b'].filter((vault) => scene.served(vault).at(-1)?.secretId !== last.secretId);
  return lacks.length === 0 ? null : `${CLIENT} is not served by ${lacks.join(', ')}`;
}

/** The points of a run at which a crash makes a difference, from a call on. */
export function pointsOf({ calls }: Pick<CrashRun, 'calls'>, from = 0): CrashPoint[] {
  return calls.flatMap(({ isChange, target }, call) => {
    if (call < from) return [];
    // a read that is applied changes nothing, and a disk answers as it applies
    const isTwoSided = !isChange || target === 'disk';
    return SIDES.filter((side) => !isTwoSided || side !== 'crash-applied').map((side) => ({ call, side }));
  });
}

/** For people: at which call of which run. */
export function describePoints(points: readonly CrashPoint[], { calls }: Pick<CrashRun, 'calls'>): string {
  return points.map(({ call, side }) => `${side} at call ${call} (${calls[call]?.text ?? 'not made'})`).join(', then ');
}
