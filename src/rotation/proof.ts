import type { Reason } from '../domain/reason.ts';
import type { Duration, Instant } from '../domain/time.ts';
import { isOurs } from '../domain/mark.ts';
import { wasNeverOurs } from './remember-destinations.ts';
import { issuerTime } from './observation.ts';
import type { Observation, SeenDestination, SeenSecret } from './observation.ts';
import type { SecretRecord } from '../ledger/records.ts';

/** Evidence that a secret may be deleted now. Only {@link proveDeletion} makes one; retire.ts asks for it. */
export interface DeletionProof {
  readonly secretId: string;
  /** Nothing that it was made from is older than this. */
  readonly provenAt: Instant;
}

export type ProofResult =
  | { readonly proven: true; readonly proof: DeletionProof }
  | { readonly proven: false; readonly reason: Reason; readonly why: string };

/** What is asked of a candidate. */
export interface Candidate {
  readonly secret: SecretRecord;
  /** It surely never reached a destination: absence of an entry is then proof enough. */
  readonly neverDelivered: boolean;
  /** How much longer each served secret must live. */
  readonly lasting: Duration;
  /** Our ledger recorded this id as the answer to our own POST: the marker is not asked for. */
  readonly createdByUs: boolean;
}

/**
 * Design, principle 4: nothing is deleted without evidence. Pure; the observation must be fresh, with the full list of
 * secrets and a look at every destination, present and former.
 */
export function proveDeletion(observation: Observation, candidate: Candidate): ProofResult {
  const { secret } = candidate;
  const list = observation.secrets;
  if (list === null) return no('issuer-failed', 'the list of secrets could not be read');
  const listed = list.find((each) => each.secretId === secret.secretId);
  if (listed === undefined) return no('confirming-deletion', 'the issuer does not list it any more');
  const changed = changedProblem(listed, candidate);
  if (changed !== null) return no('secret-changed', changed);

  const now = issuerTime(observation);
  const others = list.filter(
    (each) => each.secretId !== secret.secretId && isAlive(each, now) && !mayEndYet(observation, each.secretId),
  );
  if (others.length === 0 && isAlive(listed, now)) {
    return no('last-live-secret', 'it is the last live secret of the credential');
  }
  for (const destination of observation.destinations) {
    // a former destination holds a deletion back until the secret has ended by itself (C2)
    if (destination.format === null && !isAlive(listed, Math.min(now, observation.now))) continue;
    // what somebody else put there, before rekeyd wrote anything, can be no secret that rekeyd made
    if (wasNeverOurs(destination) && secret.rotationId !== null) continue;
    const problem = destinationProblem(observation, destination, candidate, others, now);
    if (problem !== null) return problem;
  }
  return { proven: true, proof: { secretId: secret.secretId, provenAt: observation.readSince } };
}

function changedProblem(listed: SeenSecret, { secret, createdByUs, neverDelivered }: Candidate): string | null {
  if (secret.rotationId !== null) {
    if (listed.marker?.rotationId === secret.rotationId || (createdByUs && neverDelivered)) return null;
    return 'its description does not carry its marker any more';
  }
  return listed.expires === secret.expires ? null : 'its expiry is not the one that was recorded';
}

function destinationProblem(
  observation: Observation,
  destination: SeenDestination,
  candidate: Candidate,
  others: readonly SeenSecret[],
  now: Instant,
): ProofResult | null {
  const { sight } = destination;
  const place = `${destination.vault} ${destination.entry}`;
  if (sight.state === 'unreachable') return no('destination-unproven', `${place} could not be read`);
  if (sight.state === 'absent') {
    if (destination.format === null || candidate.neverDelivered) return null;
    return no('destination-unproven', `${place} holds nothing`);
  }
  const { mark } = sight;
  if (mark === null || !isOurs(mark, observation.owner)) {
    return no('destination-unproven', `${place} does not carry our mark: it may serve anything`);
  }
  if (sight.binding !== 'bound') return no('destination-unproven', `${place} was changed under its mark`);
  if (mark.secretId === candidate.secret.secretId) return no('still-served', `${place} serves it`);
  const served = others.find((each) => each.secretId === mark.secretId);
  if (served === undefined) return no('destination-unproven', `${place} serves a secret that is not alive`);
  if (served.expires !== null && served.expires - now < candidate.lasting) {
    return no('destination-unproven', `${place} serves a secret that ends too soon`);
  }
  return null;
}

/** A DELETE of it whose answer was lost may still land: what it would leave is not there to be counted on. */
function mayEndYet({ record, timing, now }: Observation, secretId: string): boolean {
  const sent = record.secrets.find((each) => each.secretId === secretId)?.deletingSince ?? null;
  return sent !== null && now - sent <= timing.requestLifetime + timing.listLag;
}

/** Whether a listed secret has not expired, in the issuer's time. */
export function isAlive(secret: { readonly expires: Instant | null }, issuerNow: Instant): boolean {
  return secret.expires === null || secret.expires > issuerNow;
}

function no(reason: Reason, why: string): ProofResult {
  return { proven: false, reason, why };
}
