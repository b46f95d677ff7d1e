import { randomInt, randomUUID } from 'node:crypto';
import { v7 } from 'uuid';
import type { Clock, Ids, Ports, Random } from '../domain/ports.ts';
import { realTicker } from './ticker.ts';

/** The machine's own clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** The most that randomInt gives; unlike randomBytes it does not go to the system for each number. */
const STEPS = 2 ** 48 - 1;

/** Random numbers from the system's generator: jitter that an attacker can guess would be no jitter. */
export const realRandom: Random = {
  next: () => randomInt(STEPS) / STEPS,
};

export const realIds: Ids = {
  rotationId: (at) => v7({ msecs: Math.trunc(at) }),
  unique: () => randomUUID(),
};

/** The ports as the world outside has them. */
export const realPorts: Ports = { clock: realClock, random: realRandom, ids: realIds, ticker: realTicker };
