import type { Reason } from '../../domain/reason.ts';
import { DAY } from '../../domain/time.ts';
import { hold } from '../decision.ts';
import type { Situation, Verdict } from '../decision.ts';
import { creations } from '../limits.ts';
import { needOf } from '../need.ts';

/** What a person may force: each is null where the limit has room, or what is wanted is urgent enough for it. */
export const FORCEABLE = { budget, breaker, pace } as const;

/** The limits that would hold it back now, for who is to be told that they were passed by force. */
export function limitsMet(situation: Situation): Reason[] {
  return Object.values(FORCEABLE).flatMap((look) => look(situation)?.decision?.reason ?? []);
}

/** The creations of a day, of one credential. */
function budget(situation: Situation): Verdict | null {
  const { observation, rotations } = situation;
  const urgent = needOf(situation)?.urgent === true;
  const made = creations(observation, rotations);
  const most = observation.limits.createsPerDay + (urgent ? 1 : 0);
  if (made.length < most) return null;
  const freed = (made[made.length - most] ?? observation.now) + DAY;
  const saw = `${made.length} creations in 24 h, at most ${most}`;
  return hold(saw, 'budget-spent', 'blocked', 'wait, or raise `limits.createsPerDay`', freed);
}

/** Failures of several credentials in a row at the issuer. */
function breaker(situation: Situation): Verdict | null {
  const { circumstances, isOwnClient } = situation.observation;
  const { breakerUntil } = circumstances;
  // without its own credential rekeyd can do nothing at all
  if (breakerUntil === null || isOwnClient || needOf(situation)?.urgent === true) return null;
  return hold(
    'several credentials failed in a row at the issuer',
    'breaker-open',
    null,
    'see the issuer',
    breakerUntil,
  );
}

/** The rotations of an hour, of all credentials together. */
function pace(situation: Situation): Verdict | null {
  const { pacedUntil } = situation.observation.circumstances;
  if (pacedUntil === null || needOf(situation)?.urgent === true) return null;
  return hold("the hour's rotations are spent", 'paced', null, 'wait, or raise `limits.rotationsPerHour`', pacedUntil);
}
