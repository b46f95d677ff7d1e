import { rotationRoom, urgentLead } from '../../../src/config/policy-times.ts';
import { birthOf } from '../../../src/domain/marker.ts';
import { formatInstant, MINUTE } from '../../../src/domain/time.ts';
import type { Duration, Instant } from '../../../src/domain/time.ts';
import type { Windows } from '../../../src/domain/windows.ts';
import type { SimProcess } from '../machine.ts';
import { TIMING } from '../sim-config.ts';
import type { Invariant, Witnessed } from './invariant.ts';
import { policyOf } from './served.ts';

/** What a clock may be wrong while things are made and deleted by it, and what a look takes. */
const SLACK: Duration = TIMING.maxClockSkew + 2 * MINUTE;

const BY_CALENDAR: ReadonlySet<unknown> = new Set(['expiring', 'max-age', 'initial']);

/**
 * S15: where a policy has maintenance windows, the DELETE of a superseded secret leaves within one that stays open for as long as
 * it may take to land; and a renewal that nobody asked for begins within one, or is told to have missed them, and rightly so.
 */
export function windowsAreKept(world: Witnessed): Invariant {
  const { time } = world;
  /** When the last DELETE of a secret left a process. */
  const left = new Map<string, Instant>();
  /** Rotations that were told to begin outside of all windows. */
  const intended = new Map<string, { readonly windows: Windows; readonly who: string }>();

  const windowsOf = (process: SimProcess, clientId: string) => {
    const policy = policyOf(world.settingsOf(process), clientId);
    return policy?.windows == null ? null : { policy, windows: policy.windows };
  };

  return {
    changing: (process, operation, clientId, about) => {
      if (operation !== 'deleteSecret' || typeof about !== 'string') return;
      left.set(`${process.id} ${clientId}/${about}`, time.now);
    },

    logged: (process, event, _message, fields) => {
      const clientId = String(fields['clientId']);
      const kept = windowsOf(process, clientId);
      if (kept === null) return;
      const { policy, windows } = kept;
      const who = `${process.id}, ${clientId}`;
      if (event === 'secret-retired' || (event === 'deletion-failed' && fields['action'] === 'retire')) {
        const secretId = String(fields['secretId']);
        const at = left.get(`${process.id} ${clientId}/${secretId}`) ?? time.now;
        // by a clock that jumped since the last answer nothing can be told
        if (Math.abs(process.machine.ahead) > TIMING.maxClockSkew) return;
        if (isWithin(windows, at, TIMING.requestLifetime - MINUTE, 3 * MINUTE)) return;
        world.violate(
          'S15',
          `${who}: the DELETE of secret ${secretId} left at ${formatInstant(at)}, outside of its windows`,
        );
      }
      if (event === 'rotation-intended' && fields['trigger'] !== 'manual' && BY_CALENDAR.has(fields['reason'])) {
        const rotationId = String(fields['rotationId']);
        if (isWithin(windows, birthOf(rotationId), rotationRoom(policy) - SLACK, SLACK)) return;
        intended.set(rotationId, { windows, who });
        // it is told in the same breath, or not at all
        void Promise.resolve().then(() => {
          if (!intended.delete(rotationId)) return;
          const at = formatInstant(birthOf(rotationId));
          world.violate(
            'S15',
            `${who}: rotation ${rotationId} began at ${at}, outside of its windows, and that is not told`,
          );
        });
      }
      if (event === 'window-missed') {
        const rotationId = String(fields['rotationId']);
        if (!intended.delete(rotationId)) return;
        const expires = typeof fields['expires'] === 'string' ? Date.parse(fields['expires']) : null;
        const born = birthOf(rotationId);
        if (expires !== null && expires - born <= urgentLead(policy) + SLACK) return;
        const opening = windows.opening(born - SLACK, rotationRoom(policy));
        if (opening === null || (expires !== null && opening > expires - rotationRoom(policy) - SLACK)) return;
        world.violate('S15', `${who}: rotation ${rotationId} did not wait for ${formatInstant(opening)}`);
      }
    },
  };
}

/** Whether the windows are open at some moment near `at`, and stay so for `room`. */
function isWithin(windows: Windows, at: Instant, room: Duration, slack: Duration): boolean {
  const opening = windows.opening(at - slack, Math.max(0, room));
  return opening !== null && opening <= at + slack;
}
