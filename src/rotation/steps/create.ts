import { IssuerError } from '../../domain/errors.ts';
import { failureReason } from '../../domain/reason.ts';
import { withStep } from '../ending.ts';
import { AttemptFailed, descriptionOf, fieldsOf, issuerNow } from './issuance.ts';
import type { Fresh, Issuance } from './issuance.ts';

/**
 * Creates the secret at the issuer, on a short expiry so that one whose answer is lost dies by itself. The intent is
 * durable before the call.
 * @returns null where the answer was lost: the rotation stays `intended`, and recovery looks for its marker.
 */
export async function create(issuance: Issuance): Promise<Fresh | null> {
  const { world, control, issuer, terms, tenure } = issuance;
  const { provisional, lifetime } = terms.policy;
  const short = provisional !== null && provisional < lifetime ? provisional : lifetime;
  const wish = { expires: issuerNow(issuance) + short, description: descriptionOf(issuance) };
  try {
    const made = await issuer.createSecret(tenure.rotation.clientId, wish, control.giveUp);
    const now = world.clock.now();
    const { secretId, expires } = made;
    await tenure.advance({ ...withStep(tenure.rotation, 'create', now, 'ok'), state: 'created', secretId, expires });
    world.events.tell({ type: 'secret-created', ...fieldsOf(issuance), secretId });
    return { secretId, value: made.value, expires };
  } catch (error) {
    if (!(error instanceof IssuerError)) throw error;
    control.issuerFailed(issuance.situation.observation.key, error);
    if (error.surelyNotApplied) {
      // nothing was made, and nothing can land late: there is nothing to watch for
      throw new AttemptFailed('create', failureReason(error), error.message);
    }
    await loseTrack(issuance, error);
    return null;
  }
}

async function loseTrack(issuance: Issuance, error: IssuerError): Promise<void> {
  const { world, tenure } = issuance;
  const lost = withStep(tenure.rotation, 'create', world.clock.now(), 'lost');
  await tenure.advance({ ...lost, error: error.message, owner: null, leaseUntil: null });
  world.events.tell({
    type: 'response-lost',
    ...fieldsOf(issuance),
    reason: 'response-lost',
    error: error.message,
  });
}
