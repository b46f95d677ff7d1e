import { DAY, MINUTE } from '../../../src/domain/time.ts';
import { howLong, outage } from './means.ts';
import type { Act } from './means.ts';

/** What an issuer may do that others do not. */
export const ISSUER_INCIDENTS = {
  'late acceptance': (world, draw) => {
    const { behaviour } = world.issuer;
    world.tell('world', 'the issuer accepts new secrets late', null);
    const delay = Math.floor(draw('delay') * 15 * MINUTE);
    outage(
      world,
      howLong(draw('long')),
      () => (behaviour.acceptDelay = delay),
      () => (behaviour.acceptDelay = 0),
    );
  },
  'short lifetimes': (world, draw) => {
    const { behaviour } = world.issuer;
    world.tell('world', 'the issuer gives short lifetimes', null);
    const most = Math.floor((0.02 + draw('life')) * world.plan.config.policy.lifetime);
    outage(
      world,
      howLong(draw('long')),
      () => (behaviour.maxLifetime = most),
      () => (behaviour.maxLifetime = null),
    );
    world.disturb(world.time.now, world.time.now + 4 * DAY);
  },
  'put is ignored': (world, draw) => {
    const { behaviour } = world.issuer;
    world.tell('world', 'the issuer ignores PUT', null);
    outage(
      world,
      howLong(draw('long')),
      () => (behaviour.put = 'ignore'),
      () => (behaviour.put = 'replace'),
    );
  },
  'cap at the issuer': (world, draw) => {
    const { behaviour } = world.issuer;
    world.tell('world', 'the issuer has a cap on secrets', null);
    const cap = 2 + Math.floor(draw('cap') * 3);
    outage(
      world,
      howLong(draw('long')),
      () => (behaviour.cap = cap),
      () => (behaviour.cap = null),
    );
  },
} satisfies Record<string, Act>;
