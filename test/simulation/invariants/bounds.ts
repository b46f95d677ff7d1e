import { parseMarker } from '../../../src/domain/marker.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/domain/time.ts';
import type { Duration, Instant } from '../../../src/domain/time.ts';
import { latest } from '../../fakes/memory-issuer-history.ts';
import { TAINTS } from '../sim-issuer.ts';
import type { Invariant, Witnessed } from './invariant.ts';

/** A list shows what a request made as late as that after it was sent. */
const LATE = 6 * MINUTE;

/**
 * S8: live secrets and creations of a day stay under cap and budget, counted at the issuer. Daemons that do not see each
 * other's creations in time may have one more each; a person's own secrets and requests are not counted against us.
 */
export function creationsAreBounded(world: Witnessed): Invariant {
  const { time, truth } = world;
  /** By rotation: a daemon counts from when it sent the request, and may be frozen for long before that is on its way. */
  const sentAt = new Map<string, Instant>();
  return {
    changing: (_process, operation, _clientId, about) => {
      const rotationId = typeof about === 'string' ? undefined : parseMarker(about.description)?.rotationId;
      if (operation === 'createSecret' && rotationId !== undefined) sentAt.set(rotationId, time.now);
    },

    created: (process, clientId) => {
      const { maxLiveSecrets, createsPerDay } = world.settings.limits;
      // one for what is urgent, and one for each other daemon
      const more = 1 + (world.daemonCount - 1);
      const rotations = new Map<string, Instant>();
      for (const secret of truth.issuer.every(clientId)) {
        const marker = parseMarker(latest(secret.versions).description);
        if (truth.origins.get(`${clientId}/${secret.secretId}`)?.by === 'hand' || marker === null) continue;
        const sent = sentAt.get(marker.rotationId) ?? secret.createdAt;
        if (sent > time.now - DAY + LATE) rotations.set(marker.rotationId, sent);
      }
      // a ledger sees what another one made only as long as it is there, and so does one that was lost since
      const ledgers = world.ledgerCount + world.howOftenSince('ledger lost', time.now - DAY);
      // a person may let a bulk go past the budget; each of its credentials may be tried some times
      const isForced = world.howOftenSince('forced', time.now - 2 * DAY) > 0;
      if (!isForced && rotations.size > (createsPerDay + 1) * ledgers + (world.daemonCount - world.ledgerCount)) {
        world.violate('S8', `${process.id} made the ${rotations.size}th secret of ${clientId} within a day`);
      }
      const live = truth.alive(clientId).length;
      const byHand = truth.alive(clientId).filter((id) => truth.origins.get(`${clientId}/${id}`)?.by === 'hand').length;
      if (live > maxLiveSecrets + more + byHand + unseenCopies(truth, clientId, time.now)) {
        world.violate('S8', `${process.id} made ${clientId} hold ${live} live secrets`);
      }
    },
  };
}

/**
 * What the network made of requests that it repeated, so late that no count before them could know: also where what the
 * first of them made was tidied away by then.
 */
function unseenCopies(truth: Witnessed['truth'], clientId: string, now: Instant): number {
  const alive = new Set(truth.alive(clientId));
  const made = new Map<string, { all: number; alive: number; last: Instant }>();
  for (const { secretId, createdAt, versions } of truth.issuer.every(clientId)) {
    const marker = parseMarker(latest(versions).description);
    if (marker === null) continue;
    const of = made.get(marker.rotationId) ?? { all: 0, alive: 0, last: createdAt };
    made.set(marker.rotationId, {
      all: of.all + 1,
      alive: of.alive + (alive.has(secretId) ? 1 : 0),
      last: alive.has(secretId) ? Math.max(of.last, createdAt) : of.last,
    });
  }
  return [...made.values()].reduce((sum, of) => (of.last > now - LATE ? sum + Math.min(of.alive, of.all - 1) : sum), 0);
}

/** The most calls that one daemon may make in an hour: three credentials, and whatever goes wrong. */
const CALLS_AN_HOUR = 900;

/** S10: calls an hour stay bounded, under a permanent fault as well. */
export function callsAreBounded(world: Witnessed): Invariant {
  const { time } = world;
  const counts = new Map<string, { hour: number; calls: number }>();
  return {
    called: (process, call) => {
      if (call.target === 'disk') return;
      const hour = Math.floor(time.now / HOUR);
      const count = counts.get(process.machine.name);
      if (count?.hour !== hour) counts.set(process.machine.name, { hour, calls: 1 });
      else if ((count.calls += 1) > CALLS_AN_HOUR) {
        world.violate('S10', `${process.id} made more than ${CALLS_AN_HOUR} calls within an hour`);
      }
    },
  };
}

/** S10: what failed is not tried again before the time that was stored for it, drawn once; a person may ask for it sooner. */
export function waitsAreKept(world: Witnessed): Invariant {
  /** How wrong each process's clock was when it looked last: where that changes before it acts, no wait can be told. */
  const ahead = new Map<string, Duration>();
  return {
    listed: ({ id, machine }) => void ahead.set(id, machine.ahead),
    changing: (process, operation, clientId, about) => {
      const { id, clock, machine } = process;
      const rotationId = typeof about === 'string' ? undefined : parseMarker(about.description)?.rotationId;
      if (operation !== 'createSecret' || rotationId === undefined || ahead.get(id) !== machine.ahead) return;
      const now = clock.now();
      const { ledger } = world.diskOf(process);
      void Promise.all([ledger.credential({ issuer: 'data8', clientId }), ledger.rotation(rotationId)]).then(
        ([record, rotation]) => {
          const early = (record?.retryAt ?? 0) - now;
          if (early <= 0 || rotation?.trigger === 'manual') return;
          world.violate(
            'S10',
            `${id} tries again at ${clientId} ${Math.round(early / SECOND)} s before the wait is over`,
          );
        },
      );
    },
  };
}

/** S9: no value in any log line, nor in a byte of a ledger. */
export function valuesStayInside(world: Witnessed, ledgers: () => readonly string[]): Invariant {
  const look = (where: string, text: string): void => {
    const found = TAINTS.findIndex((taint) => text.includes(taint));
    if (found >= 0) world.violate('S9', `a value is in ${where} (as form ${found})`);
  };
  return {
    logged: (process, event, message, fields) =>
      look(`${process.id}'s log line ${event}`, `${message} ${JSON.stringify(fields)}`),
    atEnd: () => {
      for (const text of ledgers()) look('a ledger', text);
      return Promise.resolve();
    },
  };
}
