import { parseMarker } from '../../../src/domain/marker.ts';
import { isInFlight } from '../../../src/domain/rotation-state.ts';
import { HOUR } from '../../../src/domain/time.ts';
import type { Duration } from '../../../src/domain/time.ts';
import { latest } from '../../fakes/memory-issuer-history.ts';
import type { Disk } from '../disk.ts';
import type { Installation } from '../installation.ts';
import type { Invariant, Witnessed } from './invariant.ts';
import { presentPlaces } from './served.ts';

/** All was well from the first, and a leftover that the ledger can know of is gone: the look at its time, and some failed calls. */
const TIME_TO_REAP: Duration = 4 * HOUR;
/** Nothing tells that a proof has become possible, or that a failed look would not fail now: two scans come by. */
const TWO_SCANS: Duration = 13 * HOUR;

const FAILED_LOOKS = new Set(['visit-failed', 'scan-failed']);

/**
 * L2, while it lasts: what an abandoned rotation left behind goes soon, also where its request landed late, as long as it
 * landed within the longest life of a request: its id is watched so long, and is not left to the next full look.
 */
export function leftoversGoSoon(world: Witnessed, installations: readonly Installation[]): Invariant {
  const { time, truth } = world;

  /** Each place, former ones too, serves what lives long enough, or holds nothing: nothing holds the proof back. */
  const isProvable = (clientId: string): boolean => {
    const ever = [...truth.serving.keys()].filter((place) => place.endsWith(`/${clientId}`));
    return [...presentPlaces(world.settings, clientId), ...ever].every((place) => {
      const state = truth.vaults.get(place.split('/')[0] ?? '')?.peek(clientId) ?? null;
      if (state === null) return true;
      const { secretId } = truth.serving.get(place) ?? { secretId: null };
      if (secretId === null || !state.bound || state.mark?.secretId !== secretId) return false;
      if (!truth.issuer.isAlive(clientId, secretId, time.now)) return false; // deleted by hand: nothing proves by it
      const expires = truth.expiryOf(clientId, secretId);
      return expires === null || expires > time.now + 2 * HOUR;
    });
  };

  /** Since when each leftover was one, and provable, at every hour; and whether it was not at an hour before. */
  const waiting = new Map<string, { readonly since: number; readonly wasHeldBack: boolean }>();
  let lastFailedLook = 0;

  const judge = async (
    clientId: string,
    secretId: string,
    rotationId: string,
    createdAt: number,
    patience: Duration,
  ): Promise<void> => {
    for (const { disk, isRunning } of installations) {
      const rotation = await disk.ledger.rotation(rotationId);
      if (!isRunning || rotation?.state !== 'abandoned' || rotation.mayBeServed) continue;
      if (createdAt > (rotation.sentAt ?? 0) + truth.issuer.timing.requestLifetime) continue; // sent after a freeze
      if (Math.max(rotation.finishedAt ?? 0, createdAt) > time.now - patience) continue;
      world.violate(
        'L2',
        `secret ${secretId} of ${clientId} is left of rotation ${rotationId}, and nobody looks for it`,
      );
    }
  };

  return {
    logged: (_process, event, _message, { state }) => {
      if (FAILED_LOOKS.has(event) || state === 'unreachable' || state === 'failing') lastFailedLook = time.now;
    },
    hourly: () => {
      const calmSince = (patience: Duration): boolean => world.longestCalm(time.now - patience, time.now) >= patience;
      for (const rule of world.settings.rules) {
        const clientId = rule.match.clientId?.[0] ?? '';
        for (const { secretId, createdAt, versions } of truth.issuer.every(clientId)) {
          const marker = parseMarker(latest(versions).description);
          const key = `${clientId}/${secretId}`;
          if (!truth.issuer.isAlive(clientId, secretId, time.now) || marker === null) {
            waiting.delete(key);
            continue;
          }
          const isLast = truth.alive(clientId).length === 1; // that one is never deleted, whatever it is
          if (isLast || truth.lastServed(clientId, secretId) !== null || !isProvable(clientId)) {
            waiting.set(key, { since: time.now + HOUR, wasHeldBack: true });
            continue;
          }
          const { since, wasHeldBack } = waiting.get(key) ?? { since: time.now, wasHeldBack: false };
          waiting.set(key, { since, wasHeldBack });
          const patience = wasHeldBack || lastFailedLook > createdAt ? TWO_SCANS : TIME_TO_REAP;
          const enough = Math.max(since, lastFailedLook) <= time.now - patience;
          if (enough && calmSince(patience)) void judge(clientId, secretId, marker.rotationId, createdAt, patience);
        }
      }
    },
  };
}

/** S5, of what is under way: a secret whose maker holds its lease is deleted by nobody else. */
export function flightsAreLeftAlone(world: Witnessed): Invariant {
  const { time, truth } = world;
  const makers = new Map<string, { readonly process: string; readonly disk: Disk; readonly rotationId: string }>();
  return {
    created: (process, clientId, secretId) => {
      const secret = truth.issuer.find(clientId, secretId);
      const rotationId = secret === null ? undefined : parseMarker(latest(secret.versions).description)?.rotationId;
      if (rotationId === undefined) return;
      makers.set(`${clientId}/${secretId}`, { process: process.id, disk: world.diskOf(process), rotationId });
    },
    deleted: (process, clientId, secretId) => {
      const maker = makers.get(`${clientId}/${secretId}`);
      if (maker === undefined || maker.process === process.id) return;
      if ((truth.expiryOf(clientId, secretId) ?? Number.POSITIVE_INFINITY) <= time.now) return;
      const now = process.clock.now();
      void maker.disk.ledger.rotation(maker.rotationId).then((rotation) => {
        if (rotation?.owner !== maker.process || !isInFlight(rotation.state) || (rotation.leaseUntil ?? 0) <= now)
          return;
        world.violate('S5', `${process.id} deleted secret ${secretId} of ${clientId}, which ${maker.process} is at`);
      });
    },
  };
}
