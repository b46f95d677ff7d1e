import { IssuerError } from '../domain/errors.ts';
import { failureReason } from '../domain/reason.ts';
import { MINUTE } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialRecord } from '../ledger/records.ts';
import type { Control } from './control.ts';
import type { Decision, Situation } from './decision.ts';
import { issuerOf } from './observe.ts';
import { deletionDeadline, nextRetirement } from './windows.ts';
import type { World } from './world.ts';

/** An observation takes seconds; a proof that is older than this is none. */
const PROOF_LIFE = 2 * MINUTE;

/**
 * The only place that deletes a secret at an issuer. It takes a proof, made on the observation that this plan comes from,
 * and does nothing else between that and the call but store what it is about to do.
 */
export async function retire(
  world: World,
  situation: Situation,
  { action, reason, secret, proof }: Extract<Decision, { action: 'retire' | 'reap' }>,
  control: Control,
): Promise<void> {
  const { observation, record } = situation;
  const { key } = observation;
  const issuer = issuerOf(world, key);
  const fields = { reason, issuer: key.issuer, clientId: key.clientId, name: record.name, secretId: proof.secretId };
  const sent = withDeletion(record, proof.secretId, world.clock.now());
  // somebody changed the record since the proof: look again rather than delete on it
  if (!(await world.ledger.commit({ credentials: [sent] }))) return;
  const now = world.clock.now();
  // the process was frozen meanwhile: what was proven then may not hold now (P7), or the window has shut
  const isLate = Math.abs(now - proof.provenAt) > PROOF_LIFE;
  if (isLate || (action === 'retire' && !nextRetirement(observation, now).isNow)) {
    // nothing was sent: it is not to be taken for a deletion that failed
    await world.ledger.commit({ credentials: [{ ...record, version: record.version + 1 }] });
    return;
  }
  const limit = limitOf(world, situation, action, proof.provenAt + PROOF_LIFE, control);
  try {
    const outcome = await issuer.deleteSecret(key.clientId, proof.secretId, limit.signal);
    const type = action === 'retire' ? 'secret-retired' : 'secret-reaped';
    world.events.tell({ type, ...fields, rotationId: secret.rotationId, outcome });
  } catch (thrown) {
    const error = limit.isOver() ? givenUp(key.issuer, limit.why) : thrown;
    if (!(error instanceof IssuerError)) throw error;
    const stored = { ...sent, version: sent.version + 1 };
    await world.ledger.commit({ credentials: [withFailure(stored, proof.secretId, error)] });
    world.events.tell({ type: 'deletion-failed', ...fields, action, error: error.message });
  } finally {
    limit.end();
  }
}

/**
 * Gives a deletion up when its proof gets old while it waits for its turn, a token or an answer, or is sent again; and a
 * retirement so early that it lands, if it does, while its window is open.
 */
function limitOf(
  world: World,
  { observation }: Situation,
  action: 'retire' | 'reap',
  proofEnds: Instant,
  { giveUp }: Control,
): { readonly signal: AbortSignal; readonly why: string; isOver(): boolean; end(): void } {
  const now = world.clock.now();
  const shuts = action === 'retire' ? deletionDeadline(observation, now) : null;
  const deadline = Math.min(shuts ?? proofEnds, proofEnds);
  const shut = new AbortController();
  const done = new AbortController();
  world.ticker.sleep(Math.max(0, deadline - now), done.signal).then(
    () => shut.abort(),
    () => undefined, // the call is over
  );
  return {
    signal: AbortSignal.any([giveUp, shut.signal]),
    why: deadline === shuts ? 'its maintenance window shuts' : 'what was proven for it may not hold any more',
    isOver: () => shut.signal.aborted && !giveUp.aborted,
    end: () => done.abort(),
  };
}

function givenUp(issuer: string, why: string): IssuerError {
  const message = `the deletion was given up, because ${why}; it may have happened`;
  return new IssuerError('unavailable', message, { issuer, operation: 'deleteSecret' });
}

/** A DELETE goes out. Where one did before, it failed, whatever was answered: lists past the lag show the secret (I15). */
function withDeletion(record: CredentialRecord, secretId: string, now: number): CredentialRecord {
  const again = record.secrets.some((each) => each.secretId === secretId && each.deletingSince !== null);
  const lastError = record.lastError ?? `secret ${secretId} was deleted, and the issuer still lists it`;
  const failure = { lastError, lastReason: record.lastReason ?? ('issuer-failed' as const) };
  return {
    ...record,
    ...(again ? failure : {}),
    secrets: record.secrets.map((each) =>
      each.secretId === secretId
        ? { ...each, deletingSince: now, deleteFailures: again ? each.deleteFailures + 1 : 0 }
        : each,
    ),
  };
}

function withFailure(record: CredentialRecord, secretId: string, error: IssuerError): CredentialRecord {
  return {
    ...record,
    lastError: error.message,
    lastReason: failureReason(error),
    secrets: record.secrets.map((each) =>
      each.secretId === secretId ? { ...each, deleteFailures: Math.max(1, each.deleteFailures) } : each,
    ),
  };
}
