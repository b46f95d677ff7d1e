import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { SimConfig } from '../sim-config.ts';
import type { SimWorld } from '../sim-world.ts';
import { AFTERMATH, anyClient, one } from './means.ts';
import type { Act } from './means.ts';

/** What people change in the configuration. */
export const CONFIGURATION_INCIDENTS = {
  'destination removed': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const places = world.config.deliver.get(clientId) ?? [];
    const gone = one(places, draw('which'));
    if (places.length < 2 || gone === undefined) return;
    reconfigure(world, `${clientId} is not delivered to ${gone} any more`, draw, (config) => ({
      ...config,
      deliver: new Map([...config.deliver, [clientId, places.filter((each) => each !== gone)]]),
    }));
  },
  'destination added': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const places = world.config.deliver.get(clientId) ?? [];
    const more = one(
      world.config.vaults.filter((each) => !places.includes(each)),
      draw('which'),
    );
    if (more === undefined || !world.config.deliver.has(clientId)) return;
    reconfigure(world, `${clientId} is delivered to ${more}, too`, draw, (config) => ({
      ...config,
      deliver: new Map([...config.deliver, [clientId, [...places, more]]]),
    }));
  },
  'rule removed': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    if (!world.config.deliver.has(clientId)) return;
    reconfigure(world, `no rule for ${clientId}`, draw, (config) => ({
      ...config,
      deliver: new Map([...config.deliver].filter(([each]) => each !== clientId)),
    }));
    world.disturb(world.time.now, world.time.now + 3 * DAY);
    world.time.after(Math.floor(draw('long') * 3 * DAY), () => {
      const places = world.plan.config.deliver.get(clientId) ?? [];
      reconfigure(world, `the rule for ${clientId} is back`, draw, (config) => ({
        ...config,
        deliver: new Map([...config.deliver, [clientId, places]]),
      }));
    });
  },
  'grace changed': (world, draw) => {
    const grace = Math.floor((0.2 + draw('long')) * world.plan.config.policy.grace);
    reconfigure(world, 'another grace', draw, (config) => ({ ...config, policy: { ...config.policy, grace } }));
  },
  'mode changed': (world, draw) => {
    const mode = draw('which') < 0.5 ? 'observe' : 'no-delete';
    const duration = Math.floor(draw('long') * DAY);
    reconfigure(world, `mode ${mode}`, draw, (config) => ({ ...config, mode }));
    world.disturb(world.time.now, world.time.now + duration + AFTERMATH);
    world.time.after(duration, () =>
      reconfigure(world, 'mode active', draw, (config) => ({ ...config, mode: 'active' })),
    );
  },
} satisfies Record<string, Act>;

/** Writes a new configuration, which the daemons have from their restarts within the next hours, or load while they run. */
export function reconfigure(
  world: SimWorld,
  what: string,
  draw: (what: string) => number,
  edit: (config: SimConfig) => SimConfig,
): void {
  world.configure(edit(world.config));
  world.tell('people', `configure: ${what}`, null);
  world.disturb(world.time.now, world.time.now + AFTERMATH);
  for (const installation of world.installations) {
    const delay = Math.floor(draw(`restart ${installation.machine.name}`) * 2 * HOUR);
    const isLoaded = draw(`reload ${installation.machine.name}`) < 0.3;
    world.time.after(delay, () => {
      if (isLoaded) void installation.reload();
      else installation.restart(MINUTE);
    });
  }
}
