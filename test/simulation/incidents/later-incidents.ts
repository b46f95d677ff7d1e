import { DAY, HOUR } from '../../../src/domain/time.ts';
import { AFTERMATH } from './means.ts';
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
} satisfies Record<string, Act>;
