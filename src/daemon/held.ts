import type { Reason } from '../domain/reason.ts';
import { activePause } from '../rotation/pauses.ts';
import { Refusal } from './api.ts';
import type { Engine } from './engine.ts';

/** What keeps every new secret from being made: the mode, or a pause of everything; null: neither does. */
export function heldForAll({ world, pause }: Engine): { readonly reason: Reason; readonly message: string } | null {
  const { mode } = world.settings;
  if (mode !== 'active') {
    const reason = mode === 'observe' ? 'mode-observe' : 'mode-no-delete';
    return { reason, message: `the mode is ${mode}: nothing is rotated on request` };
  }
  if (activePause(pause.pause, world.clock.now()) === null) return null;
  return { reason: 'paused', message: 'everything is paused: resume it first' };
}

/** @throws Refusal `conflict` where {@link heldForAll} says so. */
export function refuseWhereAllHeld(engine: Engine): void {
  const held = heldForAll(engine);
  if (held !== null) throw new Refusal('conflict', held.message, { reason: held.reason });
}
