import { IssuerError } from '../../domain/errors.ts';
import { parseMarker } from '../../domain/marker.ts';
import { failureReason } from '../../domain/reason.ts';
import { formatInstantOrNull, MINUTE, SECOND } from '../../domain/time.ts';
import type { Duration, Instant } from '../../domain/time.ts';
import type { ListedSecret, SecretWish } from '../../issuers/contract.ts';
import { clockProblem } from '../checks/clock.ts';
import { withStep } from '../ending.ts';
import { lastingLife } from '../renewal.ts';
import { AttemptFailed, descriptionOf, fieldsOf, issuerNow } from './issuance.ts';
import type { Confirmed, Fresh, Issuance } from './issuance.ts';
import { rest, untilAccepted } from './verify.ts';

/** Between two lists. */
const FIRST_PAUSE = SECOND / 4;
const LONGEST_PAUSE = 15 * SECOND;

/**
 * Extends the verified secret to the policy's lifetime, and reads it back until expiry and marker are confirmed (I20).
 * Where it was created with its full lifetime, the list is still asked for its marker and expiry.
 * @returns the secret with the expiry that the issuer lists.
 */
export async function extend(issuance: Issuance, fresh: Fresh): Promise<Confirmed> {
  const { world, terms, tenure } = issuance;
  const { provisional, lifetime } = terms.policy;
  const needed = provisional !== null && provisional < lifetime;
  const { expires, knownAt } = needed
    ? await prolong(issuance, fresh, provisional)
    : await confirm(issuance, fresh, () => true, FIRST_PAUSE);
  const left = expires === null ? Number.POSITIVE_INFINITY : expires - issuerNow(issuance);
  if (left < 2 * lastingLife(terms.policy)) {
    throw new AttemptFailed(
      'extend',
      'unusable-lifetime',
      'the issuer gave the new secret too short a life to be of use',
    );
  }
  const now = world.clock.now();
  await tenure.advance({ ...withStep(tenure.rotation, 'extend', now, needed ? 'ok' : 'skipped'), expires });
  if (needed) {
    world.events.tell({ type: 'secret-extended', ...fieldsOf(issuance), expires: formatInstantOrNull(expires) });
  }
  return { ...fresh, expires, knownAt };
}

type Known = Pick<Confirmed, 'expires' | 'knownAt'>;

/** PUT, read back, and again with growing pauses: an ignored or delayed PUT has until half the provisional life. */
async function prolong(issuance: Issuance, fresh: Fresh, provisional: number): Promise<Known> {
  const { terms, world } = issuance;
  const deadline = world.clock.monotonic() + provisional / 2;
  let listPause = FIRST_PAUSE;
  for (let pause = SECOND; ; pause = Math.min(pause * 2, 10 * MINUTE)) {
    const wish = { expires: issuerNow(issuance) + terms.policy.lifetime, description: descriptionOf(issuance) };
    await put(issuance, fresh, wish);
    try {
      const isGood = (secret: ListedSecret) => isExtended(secret, wish.expires, fresh.expires);
      const listed = await confirm(issuance, fresh, isGood, listPause);
      if (terms.policy.verify.method !== 'token') return listed;
      return { ...listed, knownAt: await untilAccepted(issuance, fresh) };
    } catch (error) {
      const left = deadline - world.clock.monotonic();
      if (!(error instanceof AttemptFailed) || error.reason !== 'extend-unconfirmed' || left <= pause) throw error;
      await rest(issuance, pause);
      // a PUT that did not take at once is not waited for in a hurry: many may be held up by the same issuer
      listPause = LONGEST_PAUSE;
    }
  }
}

/** Asks for the extension. Whether it was applied is for the list to say. @throws AttemptFailed where it is forbidden */
async function put(issuance: Issuance, { secretId }: Fresh, wish: SecretWish): Promise<void> {
  const { issuer, tenure, control, world } = issuance;
  // the clocks may have parted since the creation (I19): the lists that follow tell when they agree again
  const clock = clockProblem({ skew: issuer.skew(), timing: issuer.timing });
  if (clock !== null) {
    const fields = { ...fieldsOf(issuance), reason: 'clock-skew', error: clock };
    world.log.warn('extend-held', 'The new secret is not extended while the clocks disagree', fields);
    return;
  }
  await tenure.hold();
  try {
    await issuer.updateSecret(tenure.rotation.clientId, secretId, wish, control.giveUp);
  } catch (error) {
    if (!(error instanceof IssuerError)) throw error;
    if (error.fault === 'forbidden') throw new AttemptFailed('extend', failureReason(error), error.message);
    // it may have been applied all the same
    const fields = { ...fieldsOf(issuance), error: error.message };
    world.log.warn('extend-unsure', 'The extension was not answered; the list is asked', fields);
  }
}

/** As sent, but for rounding; or another expiry than before, later: the issuer's own limit, taken as it is (I13). */
function isExtended(secret: ListedSecret, sent: Instant, before: Instant | null): boolean {
  if (secret.expires === null) return before !== null;
  return Math.abs(secret.expires - sent) <= SECOND || (before !== null && secret.expires > before + SECOND);
}

/** Lists until the secret is there with its whole marker and `good`, first after `firstPause`; gives up after two list lags. */
async function confirm(
  issuance: Issuance,
  fresh: Fresh,
  good: (secret: ListedSecret) => boolean,
  firstPause: Duration,
): Promise<Known> {
  const { issuer, tenure, world, control, situation } = issuance;
  const deadline = world.clock.monotonic() + 2 * situation.observation.timing.listLag;
  let problem = 'the issuer did not list it';
  for (let pause = firstPause; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    const knownAt = world.clock.now();
    try {
      const list = await issuer.listSecrets(tenure.rotation.clientId, control.giveUp);
      const listed = list.find((each) => each.secretId === fresh.secretId);
      const marked = listed !== undefined && parseMarker(listed.description)?.rotationId === tenure.rotation.id;
      if (listed !== undefined && marked && good(listed)) return { expires: listed.expires, knownAt };
      if (listed !== undefined)
        problem = marked ? 'its expiry did not change' : 'it is listed without its whole marker';
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error;
      problem = error.message;
    }
    const left = deadline - world.clock.monotonic();
    if (left <= 0)
      throw new AttemptFailed('extend', 'extend-unconfirmed', `the new secret could not be confirmed: ${problem}`);
    await rest(issuance, Math.min(pause, left));
  }
}
