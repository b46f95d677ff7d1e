import type { Policy } from '../../../src/config/settings.ts';
import { HOUR, SECOND } from '../../../src/domain/time.ts';
import type { Duration, Instant } from '../../../src/domain/time.ts';
import type { Invariant, Witnessed } from './invariant.ts';

/** So long everything must have been in order for a renewal to be done surely: a day's budget, a scan, a backoff. */
export const SLACK = 34 * HOUR;

/** So long before a write is sent somebody may delete what it brings, unseen. */
const UNSEEN = 30 * SECOND;

/**
 * S1: no destination serves a secret that the issuer no longer accepts. S3: a consumer that re-reads within its lag never
 * holds one either, where the grace exceeds the lag (here: half the grace).
 */
export function servedIsAlive(world: Witnessed): Invariant {
  const { time, truth } = world;
  /** Secrets of which the death was looked into. */
  const judged = new Set<string>();
  /** When a daemon last said that a person must act for a credential. */
  const heldAt = new Map<string, Instant>();
  /** When its DELETE was last sent: a freeze may keep that on its way. */
  const sentAt = new Map<string, Instant>();

  /** A secret died: was it served then, or so shortly before that a consumer may hold it? */
  const judgeDeath = (clientId: string, secretId: string, at: Instant, cause: 'deleted' | 'expired'): void => {
    const key = `${clientId}/${secretId}`;
    if (judged.has(key)) return;
    judged.add(key);
    const policy = policyOf(world.settings, clientId);
    if (policy === null) return;
    const born = truth.origins.get(key)?.at ?? time.start;
    const lag = Math.min(...world.history.map((each) => policyOf(each.settings, clientId)?.grace ?? Infinity)) / 2;
    for (const place of presentPlaces(world.settings, clientId)) {
      if (!wasPresent(place, clientId, at - policy.renewBefore)) continue; // a former destination keeps what it has
      const last = truth.lastServedAt(clientId, secretId, place);
      if (last === null || last <= at - lag) continue;
      const { since, by } = truth.serving.get(place) ?? { since: 0, by: 'hand' };
      const held = heldAt.get(clientId) ?? 0;
      const known = Math.max(truth.servedSince(clientId, secretId, place) ?? 0, truth.expirySince(clientId, secretId));
      const from = Math.max(born, at - policy.renewBefore, known, held);
      // somebody put a dead one there, or one that was about to be deleted
      if (by === 'hand' && since > (cause === 'deleted' ? (sentAt.get(key) ?? at) : at)) continue;
      const which = last >= at ? 'S1' : 'S3';
      if (cause === 'deleted') {
        if (which === 'S3' && world.happened(`retired ${clientId}`)) continue; // as somebody asked for
        world.violate(
          which,
          `${place} serves, or served ${(at - last) / 1000} s before, secret ${secretId}, which a daemon deleted`,
        );
      } else if (world.longestCalm(from, at - lag) >= SLACK + shutFor(policy)) {
        const what = `${place} serves, or served ${(at - last) / 1000} s before, secret ${secretId}`;
        world.violate(which, `${what}, which expired although there was time enough`);
      }
    }
  };
  /** Whether the rules named a place all the time since then. */
  const wasPresent = (place: string, clientId: string, since: Instant): boolean => {
    const first = Math.max(
      0,
      world.history.findLastIndex((each) => each.at <= since),
    );
    return world.history.slice(first).every((each) => presentPlaces(each.settings, clientId).includes(place));
  };

  return {
    changing: (_process, operation, clientId, about) => {
      if (operation === 'deleteSecret' && typeof about === 'string') sentAt.set(`${clientId}/${about}`, time.now);
    },
    deleted: (_process, clientId, secretId) => {
      const expires = truth.expiryOf(clientId, secretId) ?? Number.POSITIVE_INFINITY;
      if (expires <= time.now) judgeDeath(clientId, secretId, expires, 'expired');
      else judgeDeath(clientId, secretId, time.now, 'deleted');
    },
    placeChanged: (vault, entry, by, sentAt) => {
      const place = `${vault}/${entry}`;
      const { secretId, since } = truth.serving.get(place) ?? { secretId: null, since: 0 };
      if (since < time.now) return; // what it served before
      if (secretId === null || by === 'hand' || truth.issuer.isAlive(entry, secretId, time.now)) return;
      // without compare-and-set a write that was on its way may overtake: it is repaired
      if (truth.vaults.get(vault)?.capabilities.compareAndSet === false) return;
      const deletion = truth.deletions.get(`${entry}/${secretId}`);
      // also while it was on its way: a freeze may keep it there
      if (deletion?.by === 'hand' && deletion.at > sentAt - UNSEEN) return;
      world.violate('S1', `${place} was given secret ${secretId}, which is dead`);
    },
    hourly: () => {
      void world.held().then((clients) => {
        for (const clientId of clients) heldAt.set(clientId, time.now);
      });
      for (const [place, { secretId }] of truth.serving) {
        const clientId = place.slice(place.indexOf('/') + 1);
        if (secretId === null) continue;
        const expires = truth.expiryOf(clientId, secretId);
        if (expires !== null && expires <= time.now && !truth.deletions.has(`${clientId}/${secretId}`)) {
          judgeDeath(clientId, secretId, expires, 'expired');
        }
      }
    },
  };
}

/** How long maintenance windows keep what is due waiting: of those that are drawn here, sixteen hours, and what is left of one. */
export function shutFor({ windows }: Pick<Policy, 'windows'>): Duration {
  return windows === null ? 0 : 17 * HOUR;
}

export function policyOf(settings: Witnessed['settings'], clientId: string) {
  return ruleOf(settings, clientId)?.policy ?? null;
}

/** The rule that manages a credential now: not one that says to ignore it. */
function ruleOf({ rules }: Witnessed['settings'], clientId: string) {
  const rule = rules.find(({ match }) => match.clientId?.includes(clientId) === true);
  return rule?.ignore === true ? undefined : rule;
}

export function presentPlaces(settings: Witnessed['settings'], clientId: string): string[] {
  return (ruleOf(settings, clientId)?.deliver ?? []).map((each) => `${each.vault}/${clientId}`);
}
