import type { Settings } from '../../../src/config/settings.ts';
import { parseMarker } from '../../../src/domain/marker.ts';
import { DAY, HOUR, SECOND } from '../../../src/domain/time.ts';
import { latest } from '../../fakes/memory-issuer-history.ts';
import type { Installation } from '../installation.ts';
import type { Invariant, Witnessed } from './invariant.ts';
import { presentPlaces, shutFor } from './served.ts';

/** A secret that nobody was told of ends by itself within this: provisional life, and the looks after it. */
const PROVISIONAL = 26 * HOUR;

/**
 * After healing. L1: every destination serves one live, marked generation, and the daemons see it so. L2: no secret is left
 * that was never delivered. L3: what was replaced is gone once its grace is over.
 */
export function everythingConverges(world: Witnessed, installations: readonly Installation[]): Invariant {
  const { time, truth } = world;
  return {
    atEnd: async () => {
      for (const installation of installations) {
        // installations may be configured to deliver to different places
        const settings = installation.settings ?? world.settings;
        for (const rule of settings.rules) {
          const clientId = rule.match.clientId?.[0] ?? '';
          if (!isOldNews(clientId)) continue; // a renewal that came just now: not everybody has looked since
          if (isFullForGood(clientId)) continue; // `blocked`: for a person, or until they end by themselves
          const served = placesServe(settings, clientId);
          await daemonAgrees(installation, clientId, served);
          if (served !== null) leftovers(clientId, served, rule.policy.grace + shutFor(rule.policy));
        }
      }
    },
  };

  /** @returns the secret that all places serve. */
  function placesServe(settings: Settings, clientId: string): string | null {
    let common: string | null = null;
    for (const place of presentPlaces(settings, clientId)) {
      const [vault = ''] = place.split('/');
      const state = truth.vaults.get(vault)?.peek(clientId) ?? null;
      const secretId = truth.serving.get(place)?.secretId ?? null;
      if (state === null || secretId === null || !truth.issuer.isAlive(clientId, secretId, time.now)) {
        world.violate('L1', `${place} serves ${secretId === null ? 'nothing' : `secret ${secretId}, which is dead`}`);
        return null;
      }
      if (state.mark !== null && (!state.bound || state.mark.secretId !== secretId)) {
        world.violate('L1', `${place} has a mark that is not bound to its value`);
      }
      common ??= secretId;
      if (common !== secretId) world.violate('L1', `${place} serves secret ${secretId}, another serves ${common}`);
    }
    return common;
  }

  async function daemonAgrees(installation: Installation, clientId: string, served: string | null): Promise<void> {
    const record = await installation.disk.ledger.credential({ issuer: 'data8', clientId });
    const who = installation.machine.name;
    if (record === null) world.violate('L1', `${who} does not know ${clientId}`);
    else if (record.reason === 'cap-reached' && isHeldByFormer(clientId)) return;
    else if (record.state !== 'ok' && record.state !== 'grace' && record.reason !== 'outside-window') {
      world.violate(
        'L1',
        `${who} says that ${clientId} is ${record.state}: ${record.reason}, ${record.lastError ?? ''}`,
      );
    } else if (served !== null && record.current?.secretId !== null && record.current?.secretId !== served) {
      world.violate(
        'L1',
        `${who} takes ${record.current?.secretId ?? 'nothing'} for current at ${clientId}, ${served} is served`,
      );
    }
  }

  function leftovers(clientId: string, served: string, grace: number): void {
    const byHand = truth.heldByHandUntil(clientId) ?? Number.NEGATIVE_INFINITY;
    for (const secretId of truth.alive(clientId)) {
      const origin = truth.origins.get(`${clientId}/${secretId}`);
      if (secretId === served || origin?.by !== 'daemon') continue;
      const secret = truth.issuer.find(clientId, secretId);
      if (secret === null || parseMarker(latest(secret.versions).description) === null) continue; // as a stranger's
      const last = truth.lastServed(clientId, secretId);
      if (last === null) {
        // what may have been served goes by the grace of its successor, which a person's value and a full cap may hold up
        if (time.now > Math.max(origin.at + PROVISIONAL, byHand + grace + DAY)) {
          const born = Math.round((time.now - origin.at) / SECOND);
          if (!keptToItsExpiry(clientId))
            world.violate('L2', `secret ${secretId} of ${clientId} was never served, is ${born} s old and still there`);
        }
      } else if (time.now - Math.max(last, byHand) > grace + DAY && !keptToItsExpiry(clientId)) {
        const since = Math.round((time.now - last) / SECOND);
        world.violate('L3', `secret ${secretId} of ${clientId} was last served ${since} s ago and is still there`);
      }
    }
  }

  /**
   * A place serves nothing that lives under a mark of ours, so nothing may be deleted (principle 4), and the cap is full: where
   * nothing that lives is served at all, of anything, for there is nothing to copy; else of what was made and never
   * delivered, beside what is served.
   */
  function isFullForGood(clientId: string): boolean {
    const alive = truth.alive(clientId);
    const served = presentPlaces(world.settings, clientId).map((place) => {
      const secretId = truth.serving.get(place)?.secretId ?? null;
      const lives = secretId !== null && alive.includes(secretId);
      return {
        secretId: lives ? secretId : null,
        isDead: secretId !== null && !lives,
        isMarked: hasMark(place, clientId),
      };
    });
    if (served.every(({ secretId, isMarked }) => secretId !== null && isMarked)) return false;
    const living = new Set(served.flatMap(({ secretId }) => secretId ?? []));
    const { maxLiveSecrets } = world.settings.limits;
    // one more is let pass where it is urgent: what is served is dead, not where a value is no secret at all
    if (living.size === 0) return alive.length >= maxLiveSecrets + (served.some(({ isDead }) => isDead) ? 1 : 0);
    // a stranger's takes up a place, too
    const leftovers = alive.filter(
      (id) => truth.origins.get(`${clientId}/${id}`)?.by === 'hand' || truth.lastServed(clientId, id) === null,
    );
    return new Set([...leftovers, ...living]).size >= maxLiveSecrets;
  }

  function hasMark(place: string, clientId: string): boolean {
    const [vault = ''] = place.split('/');
    return (truth.vaults.get(vault)?.peek(clientId)?.mark ?? null) !== null;
  }

  /** What is there was there when everybody looked last. */
  function isOldNews(clientId: string): boolean {
    const since = [...truth.serving].filter(([place]) => place.endsWith(`/${clientId}`)).map(([, each]) => each.since);
    for (const origin of truth.origins.values()) if (origin.clientId === clientId) since.push(origin.at);
    return Math.max(...since) < time.now - world.settings.resync - 7 * HOUR;
  }

  /** A former destination that still holds something holds every deletion back, until it is forgotten (C2). */
  function isHeldByFormer(clientId: string): boolean {
    const present = presentPlaces(world.settings, clientId);
    const former = [...truth.serving.keys()].filter(
      (place) => place.endsWith(`/${clientId}`) && !present.includes(place),
    );
    return former.some((place) => truth.vaults.get(place.split('/')[0] ?? '')?.peek(clientId) != null);
  }

  /** A ledger that does not know a secret keeps it where its marker alone cannot tell that it was replaced. */
  function keptToItsExpiry(clientId: string): boolean {
    if (isHeldByFormer(clientId)) return true;
    const ledgers = new Set(installations.map((each) => each.disk));
    return world.happened('ledger lost') || ledgers.size > 1;
  }
}

/**
 * L4: where a served secret is about to end after all, somebody was told: a state that asks for a person, no daemon that
 * scans, or an expiry in the metrics that tells the truth.
 */
export function endsAreTold(world: Witnessed, installations: readonly Installation[]): Invariant {
  const { time, truth } = world;
  return {
    hourly: () => {
      const configured = world.history.at(-1)?.at ?? 0;
      if (configured > time.now - world.settings.resync - 7 * HOUR) return; // not everybody has looked with it yet
      for (const [place, { secretId, since }] of truth.serving) {
        // what somebody put there since the last full look is not known yet
        if (since > time.now - world.settings.resync - 7 * HOUR) continue;
        const clientId = place.slice(place.indexOf('/') + 1);
        const expires = secretId === null ? null : truth.expiryOf(clientId, secretId);
        if (secretId === null || expires === null || expires < time.now + 2 * HOUR || expires > time.now + 3 * HOUR)
          continue;
        if (!presentPlaces(world.settings, clientId).includes(place)) continue;
        void isTold(clientId, expires).then((told) => {
          if (!told) world.violate('L4', `secret ${secretId} at ${place} ends within hours, and nothing says so`);
        });
      }
    },
  };

  async function isTold(clientId: string, expires: number): Promise<boolean> {
    const running = installations.filter((each) => each.isRunning);
    if (running.length === 0) return true; // no scan: told by what watches the daemon
    for (const { disk } of running) {
      const record = await disk.ledger.credential({ issuer: 'data8', clientId });
      if (record === null || (record.state !== 'ok' && record.state !== 'grace')) return true;
      // the metric of the most overdue look: no scan gets through, or nothing can be stored
      if (record.resyncAt < time.now - 6 * HOUR) return true;
      const shown = record.current?.expires ?? null;
      if (shown !== null && shown <= expires + SECOND) return true;
      if (record.destinations.some((each) => each.state !== 'served')) return true;
    }
    return false;
  }
}
