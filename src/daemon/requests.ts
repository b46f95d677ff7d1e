import type { Passes } from '../domain/bulk.ts';
import type { Duration } from '../domain/time.ts';
import type { CredentialRecord, RotationRecord } from '../ledger/records.ts';
import { newRotation } from '../rotation/new-rotation.ts';
import type { Engine } from './engine.ts';

/** What a person's request says of itself. */
export interface Asked {
  readonly note: string | null;
  readonly grace: Duration | null;
  readonly actor: string;
  readonly bulk?: { readonly id: string; readonly passes: Passes };
}

/** A person's request for a rotation, as it waits in the ledger: nothing is sent yet. It is not stored here. */
export function requestFor(engine: Engine, record: CredentialRecord, asked: Asked): RotationRecord {
  const { clock, ids, issuers } = engine.world;
  const { note, grace, actor, bulk } = asked;
  const now = clock.now();
  const skew = issuers.get(record.issuer)?.skew() ?? 0;
  const request = newRotation({
    issuer: record.issuer,
    clientId: record.clientId,
    id: ids.rotationId(now + skew),
    name: record.name,
    generation: record.generation + 1,
    trigger: 'manual',
    reason: 'manual',
    note,
    actor,
    grace,
    startedAt: now,
    owner: null,
  });
  return bulk === undefined ? request : { ...request, bulkId: bulk.id, passes: bulk.passes };
}

/** How long what it replaces stays valid: as asked for, else by the policy that holds now. */
export function graceOf(engine: Engine, record: CredentialRecord, rotation: RotationRecord): Duration {
  if (rotation.grace !== null) return rotation.grace;
  const terms = engine.termsOf(record);
  return terms.kind === 'managed' ? terms.policy.grace : 0;
}

/** A delivery that nobody works on any more, because a destination stays down: a manual trigger passes it by. */
export function isStuck(rotation: RotationRecord): boolean {
  return rotation.state === 'delivering' && rotation.owner === null;
}
