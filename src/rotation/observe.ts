import { isSameFormat } from '../domain/payload.ts';
import { parseMarker } from '../domain/marker.ts';
import { IssuerError, safeMessage } from '../domain/errors.ts';
import { failureReason } from '../domain/reason.ts';
import { DAY } from '../domain/time.ts';
import type { Destination, Terms } from '../config/terms.ts';
import type { Issuer, ListedCredential } from '../issuers/contract.ts';
import type { CredentialKey, CredentialRecord, RotationRecord } from '../ledger/records.ts';
import { freshRecord } from './fresh-record.ts';
import { look, placesOf, readValue } from './look.ts';
import { isLookedAt, knownSecret, laterTime, UNNAMED } from './observation.ts';
import type { Circumstances, Observation, SeenDestination, SeenSecret } from './observation.ts';
import { redateRecord } from './redate.ts';
import { adoptionOf, isStripped, topServed } from './remember-destinations.ts';
import type { World } from './world.ts';

/** What the daemon says of a credential before it is looked at. */
export interface Subject {
  readonly key: CredentialKey;
  /** As last listed; null: the issuer's list lacks it. */
  readonly listed: ListedCredential | null;
  /** The rules' terms for a description of it. */
  readonly termsFor: (description: string) => Terms;
  readonly sharedWith: readonly string[];
  /** What began this look. */
  readonly trigger: 'schedule' | 'startup';
  readonly circumstances: () => Circumstances;
  /** Digest of the terms that hold now, stored so that a later scan sees a change. */
  readonly termsDigest: string;
}

/**
 * The one place that reads the world for a plan: ledger, issuer, vaults, and the token endpoint where a value must be
 * proven. It writes nothing. What cannot be read is told in the observation; only the ledger's errors are thrown.
 */
export async function observe(world: World, subject: Subject, signal?: AbortSignal): Promise<Observation> {
  const { key } = subject;
  const readSince = world.clock.now();
  const issuer = issuerOf(world, key);
  const stored = (await world.ledger.credential(key)) ?? freshRecord(key, subject.listed?.description ?? '');
  const record = redateRecord(stored, laterTime({ now: readSince, skew: issuer.skew() }), issuer.timing.listLag);
  const { terms, moved } = resolveTerms(subject, record);
  const ignored = !isLookedAt({ terms, listed: subject.listed });
  const [{ secrets, issuerError }, destinations] = await Promise.all([
    ignored ? { secrets: null, issuerError: null } : readSecrets(issuer, key.clientId, signal),
    ignored ? [] : Promise.all(placesOf(world, terms, record).map((place) => look(place, signal))),
  ]);
  const rotations = await rotationsOf(world, key, secrets);
  const base: Observation = {
    key,
    owner: { instance: world.settings.instance, issuer: key.issuer, credential: key.clientId },
    processId: world.processId,
    now: world.clock.now(),
    readSince,
    skew: issuer.skew(),
    timing: issuer.timing,
    mode: world.settings.mode,
    limits: world.settings.limits,
    isOwnClient: issuer.ownClientId === key.clientId,
    isOwnStatic: issuer.ownClientId === key.clientId && issuer.ownSecretIsStatic === true,
    listed: subject.listed,
    terms,
    moved,
    record,
    rotations,
    secrets,
    issuerError,
    destinations,
    refused: new Set(),
    unasked: new Set(),
    sharedWith: subject.sharedWith,
    circumstances: subject.circumstances(),
  };
  if (ignored || secrets === null) return base;
  const proven = await Promise.all(destinations.map((each) => proveUnmarked(world, issuer, base, each, signal)));
  const whole = { ...base, destinations: proven };
  return { ...whole, ...(await doubtsOf(world, issuer, whole, signal)) };
}

export function issuerOf(world: World, key: CredentialKey): Issuer {
  const issuer = world.issuers.get(key.issuer);
  if (issuer === undefined)
    throw new IssuerError('not-found', `no issuer is configured as ${key.issuer}`, {
      issuer: key.issuer,
      operation: 'open',
    });
  return issuer;
}

/** Names are pinned at first delivery: where an edited description would move them, the old terms hold (C6). */
function resolveTerms(subject: Subject, record: CredentialRecord): { terms: Terms; moved: boolean } {
  const terms = subject.termsFor(subject.listed?.description ?? record.description);
  const pinned = record.pinnedDescription;
  if (pinned === null || pinned === subject.listed?.description) return { terms, moved: false };
  const old = subject.termsFor(pinned);
  const moved = isMoved(old, terms);
  return moved ? { terms: old, moved } : { terms, moved };
}

/** Whether terms, those of an edited description, name other destinations than the pinned one's. */
export function isMoved(pinned: Terms, terms: Terms): boolean {
  return pinned.kind === 'managed' && terms.kind === 'managed' && placesText(pinned) !== placesText(terms);
}

function placesText(terms: { readonly destinations: readonly Destination[] }): string {
  return JSON.stringify(terms.destinations.map((each) => [each.vault, each.entry]).sort());
}

async function readSecrets(
  issuer: Issuer,
  clientId: string,
  signal?: AbortSignal,
): Promise<Pick<Observation, 'secrets' | 'issuerError'>> {
  try {
    const list = await issuer.listSecrets(clientId, signal);
    const secrets: SeenSecret[] = list.map((each) => ({ ...each, marker: parseMarker(each.description) }));
    return { secrets, issuerError: null };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof IssuerError)) throw error;
    return { secrets: null, issuerError: { reason: failureReason(error), message: error.message } };
  }
}

/** Relevant rotations, and those that a listed marker names. */
async function rotationsOf(
  world: World,
  key: CredentialKey,
  secrets: readonly SeenSecret[] | null,
): Promise<RotationRecord[]> {
  const rotations = [...(await world.ledger.relevantRotations(key, world.clock.now() - DAY))];
  for (const { marker } of secrets ?? []) {
    if (marker === null || marker.instance !== world.settings.instance) continue;
    if (rotations.some((each) => each.id === marker.rotationId)) continue;
    const rotation = await world.ledger.rotation(marker.rotationId);
    if (rotation?.clientId === key.clientId && rotation.issuer === key.issuer) rotations.push(rotation);
  }
  return rotations;
}

/** First contact: an unmarked entry is read; `adopt` also proves it by a token. */
async function proveUnmarked(
  world: World,
  issuer: Issuer,
  { terms }: Pick<Observation, 'terms'>,
  destination: SeenDestination,
  signal?: AbortSignal,
): Promise<SeenDestination> {
  const { sight, known, format } = destination;
  if (sight.state !== 'present' || sight.mark !== null || format === null || isStripped(destination))
    return destination;
  if (known?.adopted?.version === sight.version || terms.kind !== 'managed' || !destination.readable)
    return destination;
  try {
    const value = await readValue(world, destination, terms.names, signal);
    if (value === null) return destination;
    if (
      terms.policy.initial === 'adopt' &&
      (await issuer.verify(terms.names['clientId'] ?? '', value.clientSecret, signal)) === 'refused'
    ) {
      return destination;
    }
    return { ...destination, proven: { secretId: value.secretId } };
  } catch (error) {
    signal?.throwIfAborted();
    return { ...destination, sight: { state: 'unreachable', error: safeMessage(error) } };
  }
}

/**
 * Whether the token endpoint refuses the value that is served: asked where lists lack its secret past their lag, and of
 * an adopted entry that does not name its secret, of which no list tells. A payload that is not of its format's shape, such
 * as a text with a description that was edited since, gives no value back: seen here, and where it would be copied.
 */
async function doubtsOf(
  world: World,
  issuer: Issuer,
  observation: Observation,
  signal?: AbortSignal,
): Promise<Pick<Observation, 'refused' | 'unasked' | 'destinations'>> {
  const none: ReadonlySet<string> = new Set();
  const unasked = new Set<string>();
  const illegible = new Set<SeenDestination>();
  const seen = () =>
    observation.destinations.map((each) => (illegible.has(each) ? { ...each, readable: false } : each));
  const top = topServed(observation);
  const names = observation.terms.kind === 'managed' ? observation.terms.names : {};
  const isCopied = top !== null && observation.destinations.some((each) => isLacking(each, top.secretId));
  for (const destination of observation.destinations) {
    const secretId = top === null ? adoptedAt(destination, observation) : markedAt(destination, top.secretId);
    if (secretId === null || !destination.readable) continue;
    const isDoubted = isInDoubt(observation, secretId);
    if (!isDoubted && !isCopied) continue;
    try {
      const value = await readValue(world, destination, names, signal);
      if (value === null) {
        illegible.add(destination);
        continue;
      }
      if (!isDoubted) continue;
      const verdict = await issuer.verify(observation.key.clientId, value.clientSecret, signal);
      const refused = verdict === 'refused' ? new Set([secretId]) : none;
      return { refused, unasked: none, destinations: seen() };
    } catch (error) {
      signal?.throwIfAborted();
      if (!isDoubted) continue; // whoever copies it tells
      // silence proves nothing: it stays 'unsure', and is asked again soon
      unasked.add(secretId);
      world.log.warn('value-unproven', 'Could not ask whether the served value is still accepted', {
        issuer: observation.key.issuer,
        clientId: observation.key.clientId,
        error: safeMessage(error),
      });
    }
  }
  return { refused: none, unasked, destinations: seen() };
}

/** Whether a present destination was seen to hold something else, or in another format than the rule's. */
function isLacking({ format, known, sight }: SeenDestination, secretId: string): boolean {
  if (format === null || sight.state === 'unreachable') return false;
  const isSame = known === null || known.format === null || isSameFormat(known.format, format);
  return sight.state === 'absent' || sight.mark?.secretId !== secretId || sight.binding !== 'bound' || !isSame;
}

function markedAt({ sight }: SeenDestination, secretId: string): string | null {
  return sight.state === 'present' && sight.mark?.secretId === secretId ? secretId : null;
}

/**
 * Of one that was proven just now there is nothing to ask. One that names a secret of which neither the list nor the ledger
 * knows, as where that was deleted while no rule spoke of the entry, says no more than one that names none.
 */
function adoptedAt(destination: SeenDestination, observation: Observation): string | null {
  const adopted = destination.proven === null ? adoptionOf(destination) : null;
  if (adopted === null) return null;
  return knownSecret(observation, adopted.secretId)?.secretId ?? UNNAMED;
}

function isInDoubt({ secrets, record, now, timing }: Observation, secretId: string): boolean {
  if (secretId === UNNAMED) return true;
  if (secrets?.some((each) => each.secretId === secretId) !== false) return false;
  const missing = record.secrets.find((each) => each.secretId === secretId)?.missingSince ?? null;
  return missing !== null && now - missing >= timing.listLag;
}
