import type { Duration } from '../../../src/domain/time.ts';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { SimWorld } from '../sim-world.ts';

/** How long something that a person did may keep a daemon from its work. */
export const AFTERMATH = 6 * HOUR;

/** Gives a number in [0, 1), the same for the same text. */
export type Draw = (what: string) => number;

/** What happens to the world. */
export type Act = (world: SimWorld, draw: Draw) => void;

/** One of them, by a number in [0, 1). */
export function one<T>(from: readonly T[], drawn: number): T | undefined {
  return from[Math.floor(drawn * from.length)];
}

export function anyPlace(world: SimWorld, drawn: number): { vault: string; entry: string } | null {
  const places = [...world.truth.serving].filter(([, { secretId }]) => secretId !== null).map(([place]) => place);
  const place = one(places.sort(), drawn);
  if (place === undefined) return null;
  const [vault = '', entry = ''] = place.split('/');
  return { vault, entry };
}

export function anyClient(world: SimWorld, drawn: number): string {
  return one([...world.plan.config.deliver.keys()], drawn) ?? 'none';
}

export function outage(world: SimWorld, duration: Duration, begin: () => void, end: () => void): void {
  begin();
  world.disturb(world.time.now, world.time.now + duration + AFTERMATH);
  world.time.after(duration, end);
}

/** How long something lasts: mostly hours, now and then days. */
export function howLong(drawn: number): Duration {
  return drawn < 0.7 ? Math.floor(drawn * 8 * HOUR) + 10 * MINUTE : Math.floor((drawn - 0.6) * 10 * DAY);
}
