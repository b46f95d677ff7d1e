import { parseMarker } from '../../../src/domain/marker.ts';
import type { Settings } from '../../../src/config/settings.ts';
import { DAY, HOUR, SECOND } from '../../../src/domain/time.ts';
import type { Instant } from '../../../src/domain/time.ts';
import { latest } from '../../fakes/memory-issuer-history.ts';
import type { Invariant, Witnessed } from './invariant.ts';
import { policyOf, presentPlaces } from './served.ts';

/**
 * S12: what a daemon tells is so. `entry-delivered`: it looked after its write, and the entry did hold it by then.
 * `rotation-settled`: every destination of the rule has served the rotation's secret. `rotation-done`: of what it replaced
 * nothing that a daemon made lives any more; what was made by hand may be kept.
 */
export function tellsTheTruth(world: Witnessed): Invariant {
  const { time, truth } = world;
  /** By process and place: when it last asked for a write, and for a look that was answered. */
  const wroteAt = new Map<string, Instant>();
  const lookedAt = new Map<string, Instant>();
  /** By rotation: a request that was repeated on its way has made two. */
  const secretsOf = new Map<string, string[]>();
  const replacedBy = new Map<string, readonly string[]>();

  const untrueDelivery = (by: string, place: string, clientId: string, secretId: string): string | null => {
    const wrote = wroteAt.get(`${by} ${place}`) ?? time.start;
    if ((lookedAt.get(`${by} ${place}`) ?? 0) <= wrote) return 'it was not read back';
    return (truth.lastServedAt(clientId, secretId, place) ?? 0) < wrote ? 'it never was there' : null;
  };

  return {
    called: (process, { text }) => {
      const [, operation = '', entry = ''] = text.split(' ');
      const [vault = '', verb] = operation.split('.');
      if (verb === 'deliver') wroteAt.set(`${process.id} ${vault}/${entry}`, time.now);
    },
    looked: (process, vault, entry, askedAt) => void lookedAt.set(`${process.id} ${vault}/${entry}`, askedAt),
    created: (_process, clientId, secretId) => {
      const secret = truth.issuer.find(clientId, secretId);
      const rotationId = secret === null ? undefined : parseMarker(latest(secret.versions).description)?.rotationId;
      if (rotationId !== undefined) secretsOf.set(rotationId, [...(secretsOf.get(rotationId) ?? []), secretId]);
    },
    logged: (process, event, _message, fields) => {
      const clientId = String(fields['clientId']);
      if (event === 'entry-delivered') {
        const place = `${String(fields['vault'])}/${String(fields['entry'])}`;
        const problem = untrueDelivery(process.id, place, clientId, String(fields['secretId']));
        if (problem !== null) world.violate('S12', `${process.id} says that it delivered to ${place}: ${problem}`);
      }
      const rotationId = String(fields['rotationId']);
      if (event === 'rotation-settled') {
        replacedBy.set(rotationId, fields['supersedes'] as readonly string[]);
        const secrets = secretsOf.get(rotationId) ?? [];
        const [first = [], ...more] = world.settingsInForce(process).map((each) => presentPlaces(each, clientId));
        for (const place of first.filter((each) => more.every((places) => places.includes(each)))) {
          if (secrets.some((secretId) => truth.lastServedAt(clientId, secretId, place) !== null)) continue;
          world.violate('S12', `${process.id} says that all destinations serve ${secrets.join()}: ${place} never did`);
        }
      }
      if (event === 'rotation-done') {
        for (const secretId of replacedBy.get(rotationId) ?? []) {
          if (truth.origins.get(`${clientId}/${secretId}`)?.by !== 'daemon') continue;
          if (!truth.issuer.isAlive(clientId, secretId, time.now)) continue;
          world.violate('S12', `${process.id} says that nothing is left of what it replaced: secret ${secretId} lives`);
        }
      }
    },
  };
}

/** S13: nothing is delivered that is still on the short expiry that it was created with. */
export function deliveredIsExtended(world: Witnessed): Invariant {
  const { truth } = world;
  const judged = new Set<string>();
  return {
    placeChanged: (vault, entry, by) => {
      const secretId = truth.serving.get(`${vault}/${entry}`)?.secretId ?? null;
      const key = `${entry}/${secretId ?? ''}`;
      if (by === 'hand' || secretId === null || judged.has(key) || truth.origins.get(key)?.by !== 'daemon') return;
      judged.add(key);
      const policy = policyOf(world.settings, entry);
      const versions = truth.issuer.find(entry, secretId)?.versions;
      const [first] = versions ?? [];
      if (policy === null || policy.provisional === null || versions === undefined || first?.expires == null) return;
      const { expires } = latest(versions);
      if (expires === null || expires > first.expires + SECOND) return;
      world.violate('S13', `${vault}/${entry} was given secret ${secretId}, whose life was not extended`);
    },
  };
}

/** A secret is due so long before its end at the most: clocks jump by a day, and looks take their time. */
const MARGIN = 26 * HOUR;

/**
 * S14: no secret is made for nothing. By itself a daemon makes one only where, within the last hours, something was not in
 * order at a destination, or the served secret was due.
 */
export function nothingIsMadeForNothing(world: Witnessed): Invariant {
  const { time, truth } = world;
  const isWell = (place: string, clientId: string, renewBefore: number): boolean => {
    const secretId = truth.serving.get(place)?.secretId ?? null;
    // also written with what it held: where its mark was stripped, another daemon may have looked before it was put right
    const writtenAt = truth.writtenAt(place) ?? time.now;
    if (secretId === null || writtenAt > time.now - DAY) return false;
    // what a person rolled back is behind what it held before, until a newer generation gets there; and what is named again
    // is behind what was delivered elsewhere meanwhile, though a person emptied that place
    const held = [...truth.issuer.every(clientId)].filter((each) => truth.lastServed(clientId, each.secretId) !== null);
    if (held.at(-1)?.secretId !== secretId) return false;
    const state = truth.vaults.get(place.split('/')[0] ?? '')?.peek(clientId) ?? null;
    if (state?.bound !== true || state.mark?.secretId !== secretId) return false;
    const expires = truth.expiryOf(clientId, secretId);
    if (!truth.issuer.isAlive(clientId, secretId, time.now)) return false;
    return expires === null || expires > time.now + renewBefore + MARGIN;
  };
  return {
    changing: (process, operation, clientId, about) => {
      if (operation !== 'createSecret' || typeof about === 'string') return;
      const rotationId = parseMarker(about.description)?.rotationId;
      const areWell = (settings: Settings): boolean => {
        const policy = policyOf(settings, clientId);
        if (policy === null) return false;
        return presentPlaces(settings, clientId).every((place) => isWell(place, clientId, policy.renewBefore));
      };
      if (rotationId === undefined || !world.settingsInForce(process).every(areWell)) return;
      // a former place counts: what is newest there is the generation that all others are behind of
      const ever = [...truth.serving].filter(([place]) => place.endsWith(`/${clientId}`));
      if (new Set(ever.flatMap(([, { secretId }]) => secretId ?? [])).size !== 1) return;
      void world
        .diskOf(process)
        .ledger.rotation(rotationId)
        .then((rotation) => {
          if (rotation?.trigger === 'manual') return;
          world.violate(
            'S14',
            `${process.id} makes a secret of ${clientId}, where all is well: ${rotation?.reason ?? ''}`,
          );
        });
    },
  };
}
