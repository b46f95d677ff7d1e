import { LedgerError } from '../../../src/domain/errors.ts';
import { DAY, HOUR } from '../../../src/domain/time.ts';
import type { Daemon } from '../../../src/daemon/api.ts';
import { Refusal } from '../../../src/daemon/api.ts';
import type { SimWorld } from '../sim-world.ts';
import { AFTERMATH, anyClient, one } from './means.ts';
import type { Act } from './means.ts';

/** What people ask a running daemon for. */
export const OPERATOR_INCIDENTS = {
  'rotated by hand': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const grace = draw('grace') < 0.3 ? HOUR : null;
    if (grace !== null) world.note(`retired ${clientId}`);
    ask(world, draw('whom'), `rotate ${clientId}`, (daemon) =>
      daemon.rotate({ issuer: 'data8', clientId }, { note: null, grace, actor: 'somebody' }),
    );
  },
  'retired by hand': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    world.note(`retired ${clientId}`);
    ask(world, draw('whom'), `retire what ${clientId} replaced`, async (daemon) => {
      const { items } = await daemon.rotations({ issuer: 'data8', clientId, state: 'grace' }, 1, null);
      const [rotation] = items;
      if (rotation !== undefined) await daemon.retire(rotation.id, 'somebody');
    });
  },
  paused: (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const key = draw('all') < 0.3 ? null : { issuer: 'data8', clientId };
    const duration = Math.floor(draw('long') * 2 * DAY);
    world.disturb(world.time.now, world.time.now + duration + AFTERMATH);
    const until = draw('end') < 0.5 ? world.time.now + duration : null;
    ask(world, draw('whom'), `pause ${key === null ? 'all' : clientId}`, (daemon) =>
      daemon.pause(key, { until, note: null, actor: 'somebody' }),
    );
    if (until !== null) return;
    world.time.after(duration, () => resumeAll(world, draw('resumer')));
  },
} satisfies Record<string, Act>;

/** A person asks a daemon that runs for something; what it refuses is no matter here. */
export function ask(world: SimWorld, drawn: number, what: string, request: (daemon: Daemon) => Promise<unknown>): void {
  const running = world.installations.filter((each) => each.isRunning && each.process?.isFrozen === false);
  const asked = one(running, drawn);
  if (asked?.daemon == null) return;
  world.tell('people', what, asked.process?.id);
  request(asked.daemon).catch((error: unknown) => {
    if (!(error instanceof Refusal || error instanceof LedgerError)) throw error;
  });
}

/** Everything that was paused goes on. */
export function resumeAll(world: SimWorld, drawn: number): void {
  ask(world, drawn, 'resume all', async (daemon) => {
    await daemon.resume(null, 'somebody');
    for (const clientId of world.plan.config.deliver.keys()) {
      await daemon.resume({ issuer: 'data8', clientId }, 'somebody');
    }
  });
}
