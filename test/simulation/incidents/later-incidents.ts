import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import { reconfigure } from './configuration-incidents.ts';
import { hasOlder } from './hand-incidents.ts';
import { AFTERMATH, anyClient, anyPlace, howLong, outage } from './means.ts';
import type { Act, Draw } from './means.ts';
import type { SimWorld } from '../sim-world.ts';
import { ask } from './operator-incidents.ts';

/** What rekeyd learned later. It is drawn apart, so that seeds without it go as they went before. */
export const LATER_INCIDENTS = {
  'rotated in bulk': (world, draw) => {
    const force = draw('force') < 0.3;
    const grace = draw('grace') < 0.3 ? HOUR : null;
    if (grace !== null) for (const clientId of world.plan.config.deliver.keys()) world.note(`retired ${clientId}`);
    if (force) world.note('forced');
    world.disturb(world.time.now, world.time.now + AFTERMATH);
    ask(world, draw('whom'), force ? 'rotate all, past the limits' : 'rotate all', async (daemon) => {
      const wish = { match: '*', grace, force, note: null };
      const { digest } = await daemon.previewBulk(wish, 10);
      const { id } = await daemon.startBulk(wish, digest, { actor: 'somebody', from: 'local' });
      if (draw('cancel') < 0.2) {
        world.time.after(Math.floor(draw('when') * DAY), () =>
          ask(world, draw('whom'), 'cancel the bulk', (asked) => asked.cancelBulk(id, 'somebody')),
        );
      }
    });
  },
  'moved back and forth': (world, draw) => {
    const place = anyPlace(world, draw('which'));
    if (place === null || !hasOlder(world, place)) return;
    const { vault, entry } = place;
    const length = 5 * MINUTE + Math.floor(draw('how long') ** 2 * 8 * HOUR);
    world.disturb(world.time.now, world.time.now + length + AFTERMATH);
    let forth: () => void = () => undefined;
    world.byHand(vault, entry, 'move a stage back', (found) => (forth = found.moveBack(entry)));
    const moved = world.vaults.get(vault)?.peek(entry)?.version;
    world.time.after(length, () => {
      // unless a daemon wrote over it meanwhile
      if (world.vaults.get(vault)?.peek(entry)?.version === moved)
        world.byHand(vault, entry, 'move a stage forth', forth);
    });
  },
  'ignored for a while': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    if (!world.config.deliver.has(clientId)) return;
    const length = Math.floor(draw('long') ** 2 * 3 * DAY);
    const ignore = (isIgnored: boolean, what: string): void => {
      reconfigure(world, `${what} ${clientId}`, draw, (config) => {
        const others = [...config.ignored].filter((each) => each !== clientId);
        return { ...config, ignored: new Set(isIgnored ? [...others, clientId] : others) };
      });
    };
    onceMoved(world, draw, clientId, () => {
      ignore(true, 'ignore');
      world.disturb(world.time.now, world.time.now + length + AFTERMATH);
      world.time.after(length, () => ignore(false, 'do not ignore any more'));
    });
  },
  'missing from the list': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const { unlisted } = world.issuer;
    onceMoved(world, draw, clientId, () => {
      world.tell('world', `the issuer's list of credentials lacks ${clientId}`, null);
      outage(
        world,
        howLong(draw('long')),
        () => unlisted.add(clientId),
        () => unlisted.delete(clientId),
      );
    });
  },
} satisfies Record<string, Act>;

/**
 * Every other time a destination is taken out before, and the credential rotated: it goes on serving the old secret when
 * nobody looks.
 */
function onceMoved(world: SimWorld, draw: Draw, clientId: string, then: () => void): void {
  const places = world.config.deliver.get(clientId) ?? [];
  if (places.length < 2 || draw('moves') < 0.5) {
    then();
    return;
  }
  reconfigure(world, `${clientId} moves`, draw, (config) => ({
    ...config,
    deliver: new Map([...config.deliver, [clientId, places.slice(1)]]),
  }));
  world.time.after(3 * HOUR, () =>
    ask(world, draw('whom'), `rotate ${clientId}`, (daemon) =>
      daemon.rotate({ issuer: 'data8', clientId }, { note: null, grace: null, actor: 'somebody' }),
    ),
  );
  world.time.after(5 * HOUR, () => {
    if (world.time.now < world.plan.calmFrom) then();
  });
}
