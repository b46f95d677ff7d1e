import { HOUR, MINUTE, SECOND } from '../../../src/domain/time.ts';
import type { Duration, Instant } from '../../../src/domain/time.ts';
import type { Invariant, Witnessed } from './invariant.ts';
import { policyOf, presentPlaces } from './served.ts';

/** What a proof may be old: design, and failures P7. */
const PROOF_LIFE = 3 * MINUTE;

/** A daemon goes on with the configuration that it started with until it is restarted, within this. */
const TIME_TO_RESTART = 3 * HOUR;

/**
 * S2: a DELETE goes out only after a full list and a read of every destination, current and former, none of which serves
 * the secret, and a full grace since it was last served anywhere. S4: never the last valid one. S5: only our own, and what
 * was superseded.
 */
export function deletionsAreProven(world: Witnessed): Invariant {
  const { time, truth } = world;
  const asked = new Map<string, Instant>();
  const lists = new Map<string, Instant>();
  const looks = new Map<string, Instant>();
  const sentAt = new Map<string, Instant>();
  /** Places that any daemon ever asked for, answered or not. */
  const known = new Set<string>();

  const problem = (
    processId: string,
    clientId: string,
    secretId: string,
    present: readonly string[],
  ): string | null => {
    const since = time.now - PROOF_LIFE;
    const list = `${processId} ${clientId}`;
    if (asked.get(list) !== lists.get(list)) return 'its last list of the secrets was not answered in full';
    if ((lists.get(list) ?? 0) < since) return 'the secrets were not listed just before';
    if (!truth.issuer.isAlive(clientId, secretId, time.now)) return null; // it has ended by itself
    for (const place of placesToProve(clientId, secretId, present)) {
      if ((looks.get(`${processId} ${place}`) ?? 0) < since) return `${place} was not looked at just before`;
    }
    return null;
  };

  return {
    called: (process, { text }) => {
      const [, operation, clientId = ''] = text.split(' ');
      if (operation === 'issuer.listSecrets') asked.set(`${process.id} ${clientId}`, time.now);
      if (operation?.endsWith('.describe') === true) known.add(`${operation.split('.')[0] ?? ''}/${clientId}`);
    },
    listed: (process, clientId, askedAt) => void lists.set(`${process.id} ${clientId}`, askedAt),
    looked: (process, vault, entry, askedAt) => void looks.set(`${process.id} ${vault}/${entry}`, askedAt),

    changing: (process, operation, clientId, about) => {
      if (operation !== 'deleteSecret' || typeof about !== 'string') return;
      const secretId = about;
      sentAt.set(`${clientId}/${secretId}`, time.now);
      const told = problem(process.id, clientId, secretId, presentPlaces(world.settingsOf(process), clientId));
      if (told !== null) world.violate('S2', `${process.id} deletes secret ${secretId} of ${clientId}: ${told}`);
      const origin = truth.origins.get(`${clientId}/${secretId}`);
      const last = truth.lastServed(clientId, secretId);
      if (origin?.by === 'hand' && last === null && !mayDeleteStrangers(clientId)) {
        world.violate('S5', `${process.id} deletes secret ${secretId} of ${clientId}, which is a stranger's`);
      }
    },

    deleted: (process, clientId, secretId) => {
      const places = placesToProve(clientId, secretId, presentPlaces(world.settingsOf(process), clientId));
      const last = places.reduce<Instant | null>((latest, place) => {
        const at = isPutBack(clientId, secretId, place) ? null : truth.lastServedAt(clientId, secretId, place);
        return at === null ? latest : Math.max(at, latest ?? at);
      }, null);
      const grace = graceOf(clientId, secretId, last ?? 0);
      const expired = (truth.expiryOf(clientId, secretId) ?? Number.POSITIVE_INFINITY) <= time.now;
      // the readings that a daemon takes for its dates are some seconds apart from what happened
      if (last !== null && !expired && time.now - last < grace - stampedEarly(clientId) - MINUTE) {
        const ago = Math.round((time.now - last) / SECOND);
        world.violate(
          'S2',
          `${process.id} deleted secret ${secretId} of ${clientId} ${ago} s after it was served, grace is ${grace / SECOND} s`,
        );
      }
      const excused = isTakenAway(clientId, secretId) || isLeftByAnother(clientId, secretId);
      if (!expired && truth.alive(clientId).length === 0 && !excused) {
        world.violate('S4', `${process.id} deleted the last valid secret ${secretId} of ${clientId}`);
      }
    },
  };

  /** Somebody put it there while the DELETE was on its way already: no proof before it could tell. */
  function isPutBack(clientId: string, secretId: string, place: string): boolean {
    const { since, by } = truth.serving.get(place) ?? { since: 0, by: 'daemon' };
    return by === 'hand' && since > (sentAt.get(`${clientId}/${secretId}`) ?? time.now);
  }

  /** Somebody deleted what it was to leave alive while the DELETE was on its way already. */
  function isTakenAway(clientId: string, secretId: string): boolean {
    const sent = sentAt.get(`${clientId}/${secretId}`) ?? time.now;
    return [...truth.deletions].some(
      ([key, { by, at }]) => key.startsWith(`${clientId}/`) && by === 'hand' && at > sent,
    );
  }

  /** Another daemon, whose ledger says nothing of this one, let go of its own at the same moment; nobody was ever served this one. */
  function isLeftByAnother(clientId: string, secretId: string): boolean {
    if (world.ledgerCount === 1 || truth.lastServed(clientId, secretId) !== null) return false;
    return [...truth.deletions].some(
      ([key, { by, at }]) =>
        key.startsWith(`${clientId}/`) &&
        key !== `${clientId}/${secretId}` &&
        by === 'daemon' &&
        at > time.now - PROOF_LIFE,
    );
  }

  /**
   * The least grace that was in force while the secret was served: fixed when it was superseded, whatever came later. Of
   * that a rebuilt ledger, or another one, knows nothing. A request may shorten it to nothing.
   */
  function graceOf(clientId: string, secretId: string, last: Instant): Duration {
    if (world.happened(`retired ${clientId}`)) return 0;
    const born = truth.origins.get(`${clientId}/${secretId}`)?.at ?? 0;
    const first = Math.max(
      0,
      world.history.findLastIndex((each) => each.at <= born - TIME_TO_RESTART),
    );
    const until =
      world.happened('ledger lost') || world.ledgerCount > 1
        ? time.now
        : world.whenCalm(Math.max(last, ...newestOf(clientId))) + HOUR;
    const inForce = world.history.slice(first).filter((each, index) => index === 0 || each.at <= until);
    return Math.min(...inForce.map((each) => policyOf(each.settings, clientId)?.grace ?? Number.POSITIVE_INFINITY));
  }

  /**
   * How long before it landed a mark was stamped, by a process that froze in between: where a ledger was lost, or another one
   * wrote, the grace is counted from what marks say.
   */
  function stampedEarly(clientId: string): Duration {
    if (!world.happened('ledger lost') && world.ledgerCount === 1) return 0;
    const early = [...truth.serving].map(([place, { since }]) => {
      const [vault = '', entry = ''] = place.split('/');
      const mark = entry === clientId ? (truth.vaults.get(vault)?.peek(entry)?.mark ?? null) : null;
      return mark === null ? 0 : since - mark.deliveredAt;
    });
    return Math.max(0, ...early);
  }

  /** Since when each place serves what it serves: the successor settled with the last of them. */
  function newestOf(clientId: string): Instant[] {
    return [...truth.serving].filter(([place]) => place.endsWith(`/${clientId}`)).map(([, { since }]) => since);
  }

  /** Present destinations, and those that ever served the secret, but for forgotten ones and those that nobody can know of. */
  function placesToProve(clientId: string, secretId: string, present: readonly string[]): string[] {
    const former = truth
      .placesOf(clientId, secretId)
      .filter((place) => !present.includes(place))
      .filter((place) => !world.happened(`forgot ${place}`) && isKnowable(clientId, secretId, place))
      .filter((place) => !isEmptyStranger(clientId, place));
    return [...present, ...former];
  }

  /** A former place in which nothing was delivered ever, and which is empty now: nothing of it is worth remembering. */
  function isEmptyStranger(clientId: string, place: string): boolean {
    if ((truth.vaults.get(place.split('/')[0] ?? '')?.peek(clientId) ?? null) !== null) return false;
    return [...truth.issuer.every(clientId)]
      .filter(({ secretId }) => truth.origins.get(`${clientId}/${secretId}`)?.by === 'daemon')
      .every(({ secretId }) => !truth.placesOf(clientId, secretId).includes(place));
  }

  /**
   * No ledger knows of a place that no look was at while the rules named it. Another ledger, or a rebuilt one, knows of a
   * former destination only by the digest in the marker, where nobody took that off: of those that the rules named when the
   * secret was made.
   */
  function isKnowable(clientId: string, secretId: string, place: string): boolean {
    if (!known.has(place)) return false;
    if (!world.happened('ledger lost') && world.ledgerCount === 1) return true;
    const origin = truth.origins.get(`${clientId}/${secretId}`);
    if (origin?.by !== 'daemon' || world.happened(`unmarked ${clientId}`)) return false;
    // its maker may not have been restarted since the rules were changed
    const first = world.history.findLastIndex((each) => each.at <= origin.at - TIME_TO_RESTART);
    const then = world.history.filter((each, index) => index >= first && each.at <= origin.at);
    return then.every(({ settings }) => presentPlaces(settings, clientId).includes(place));
  }

  function mayDeleteStrangers(clientId: string): boolean {
    return world.history.some((each) => policyOf(each.settings, clientId)?.unmanaged === 'delete');
  }
}
