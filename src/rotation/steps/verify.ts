import { IssuerError } from '../../domain/errors.ts';
import { formatDuration, SECOND } from '../../domain/time.ts';
import type { Instant } from '../../domain/time.ts';
import { withStep } from '../ending.ts';
import { activePause } from '../pauses.ts';
import { AttemptFailed, fieldsOf } from './issuance.ts';
import type { Fresh, Issuance } from './issuance.ts';

/**
 * Gets a token with the new secret. `invalid_client` is 'not yet', silence is neither: both are tried again up to
 * `verify.timeout` (I14). Holds no concurrency slot while it waits.
 */
export async function verify(issuance: Issuance, fresh: Fresh): Promise<void> {
  const { world, tenure, terms } = issuance;
  if (terms.policy.verify.method === 'none') {
    await tenure.advance({ ...withStep(tenure.rotation, 'verify', world.clock.now(), 'skipped'), state: 'verified' });
    return;
  }
  await untilAccepted(issuance, fresh);
  await tenure.advance({ ...withStep(tenure.rotation, 'verify', world.clock.now(), 'ok'), state: 'verified' });
  world.events.tell({ type: 'secret-verified', ...fieldsOf(issuance), secretId: fresh.secretId });
}

/**
 * Once more, after the extension: what is delivered was accepted as it now is.
 * @returns when the question was asked that had a yes.
 */
export async function untilAccepted(issuance: Issuance, fresh: Fresh): Promise<Instant> {
  const { world, control, issuer, tenure, terms } = issuance;
  const { timeout } = terms.policy.verify;
  const deadline = world.clock.monotonic() + timeout;
  let silence: string | null = null;
  for (let pause = SECOND / 2; ; pause = Math.min(pause * 2, 30 * SECOND)) {
    const askedAt = world.clock.now();
    try {
      const verdict = await issuer.verify(tenure.rotation.clientId, fresh.value, control.giveUp);
      silence = null;
      control.heard(issuer.name, true);
      if (verdict === 'accepted') return askedAt;
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error;
      silence = error.message;
      control.heard(issuer.name, false);
    }
    const left = deadline - world.clock.monotonic();
    if (left <= 0) break;
    await rest(issuance, Math.min(pause, left));
  }
  const after = `within ${formatDuration(timeout)}`;
  const message =
    silence === null
      ? `the new secret was not accepted ${after}`
      : `the token endpoint did not answer ${after}: ${silence}`;
  const error = new IssuerError('unavailable', message, { issuer: issuer.name, operation: 'token' });
  control.issuerFailed(issuance.situation.observation.key, error);
  throw new AttemptFailed('verify', 'verify-timeout', message);
}

/** Waits so that nodes with a cache have heard of the secret; urgent and manual rotations do not. */
export async function settleDown(issuance: Issuance): Promise<void> {
  const { terms, tenure, urgent } = issuance;
  if (urgent || tenure.rotation.trigger === 'manual' || terms.policy.verify.method === 'none') return;
  if (terms.policy.verify.settle > 0) await rest(issuance, terms.policy.verify.settle);
}

/** Waits with the lease kept, without a slot; a shutdown or a pause ends an attempt that has delivered nothing. */
export async function rest(issuance: Issuance, duration: number): Promise<void> {
  const { control, tenure } = issuance;
  await tenure.whileHeld(duration, async (part) => {
    try {
      await control.idle(part);
    } catch (error) {
      if (!control.stopping.aborted) throw error;
      throw new AttemptFailed('verify', 'verify-interrupted', 'rekeyd was stopped before the new secret was verified');
    }
  });
  await refuseWherePaused(issuance);
}

/** A pause ends what has delivered nothing; it is read afresh, since waiting may have taken long. */
export async function refuseWherePaused({ world, control, situation }: Issuance): Promise<void> {
  const now = world.clock.now();
  const record = await world.ledger.credential(situation.observation.key);
  if (activePause(record?.pause ?? null, now) === null && activePause(await control.pausedAll(), now) === null) return;
  throw new AttemptFailed('verify', 'paused', 'the credential was paused before the new secret was delivered');
}
