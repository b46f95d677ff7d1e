import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import { hasOlder } from './hand-incidents.ts';
import { AFTERMATH, anyPlace } from './means.ts';
import type { Act } from './means.ts';
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
} satisfies Record<string, Act>;
