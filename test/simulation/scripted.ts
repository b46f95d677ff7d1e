import type { Policy } from '../../src/config/settings.ts';
import { DAY, formatInstant, HOUR, MINUTE } from '../../src/domain/time.ts';
import type { Duration } from '../../src/domain/time.ts';
import { DEFAULT_POLICY } from '../scenarios/stage.ts';
import { CLIENT, FIRST, Scene } from './scene.ts';
import { LIMITS } from './sim-config.ts';
import type { SimConfig } from './sim-config.ts';
import type { SimWorld } from './sim-world.ts';
import type { WorldPlan } from './world-plan.ts';
import { simulate } from './simulate.ts';

export const START = Date.UTC(2030, 0, 1);

/** A world in which nothing goes wrong but what the script lets happen. */
export interface Scenario extends Partial<Pick<WorldPlan, 'seed' | 'vaults' | 'machines' | 'downtime'>> {
  readonly length?: Duration;
  readonly policy?: Partial<Policy>;
  readonly config?: Partial<SimConfig>;
  /** When the secret that was made by hand ends, from the start. */
  readonly expires?: Duration;
  /** Vaults whose entries hold that secret at the start; default: all that are delivered to. */
  readonly filled?: readonly string[];
  /** What happens when. */
  readonly script?: (scene: Scene) => void;
}

export const POLICY: Policy = {
  ...DEFAULT_POLICY,
  lifetime: 20 * DAY,
  renewBefore: 8 * DAY,
  grace: 3 * DAY,
  verify: { method: 'token', timeout: 20 * MINUTE, settle: 5 * MINUTE },
};

const ONE_MACHINE = [{ ahead: 0, disk: 0 }];

export function planOf(scenario: Scenario): WorldPlan {
  const { length = 30 * DAY, vaults = ['a', 'b'].map((name) => ({ name, capabilities: {} })) } = scenario;
  const names = vaults.map(({ name }) => name);
  return {
    seed: scenario.seed ?? 1,
    start: START,
    calmFrom: START + length,
    end: START + length,
    config: {
      mode: 'active',
      scanHours: 6,
      resync: 12 * HOUR,
      policy: { ...POLICY, ...scenario.policy },
      limits: LIMITS,
      deliver: new Map([[CLIENT, names]]),
      suspended: new Set(),
      ignored: new Set(),
      vaults: names,
      instance: 'sim',
      ...scenario.config,
    },
    vaults,
    machines: scenario.machines ?? ONE_MACHINE,
    rates: {},
    storms: [],
    ...(scenario.downtime === undefined ? {} : { downtime: scenario.downtime }),
  };
}

/** The credential, the secret that somebody made by hand, and the entries that hold it. */
export function furnish(world: SimWorld, { expires = 9 * DAY, filled }: Scenario): Scene {
  const scene = new Scene(world);
  world.issuer.addCredential(CLIENT);
  world.addSecretByHand(CLIENT, world.time.now + expires, 10 * DAY);
  for (const vault of filled ?? world.config.deliver.get(CLIENT) ?? []) scene.putByHand(vault, FIRST);
  return scene;
}

/**
 * Plays a scenario to its end, with all invariants watching.
 * @returns the scene, for what else must have happened. @throws where something did not hold, with the timeline.
 */
export async function play(scenario: Scenario): Promise<Scene> {
  const played: Scene[] = [];
  const plan: WorldPlan = { ...planOf(scenario), forced: (call) => played[0]?.meets(call) ?? null };
  const { violation, timeline } = await simulate(
    { ...plan, incidents: [] },
    {
      told: true,
      prepare: (world) => {
        const scene = furnish(world, scenario);
        played.push(scene);
        scenario.script?.(scene);
      },
      // what is put in order is for the script to say
      heal: () => undefined,
    },
  );
  const [scene] = played;
  if (scene === undefined) throw new Error(`the world was not prepared: ${violation?.what ?? ''}`);
  if (violation !== null) {
    const lines = timeline.map(({ at, who, what, about }) => {
      const more = about === null ? '' : JSON.stringify(about);
      return `${formatInstant(at)} ${who}: ${what} ${more}`;
    });
    throw new Error(`${violation.invariant}: ${violation.what}\n${lines.join('\n')}`);
  }
  return scene;
}
