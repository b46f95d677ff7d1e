import { IssuerError, VaultError } from '../domain/errors.ts';
import { destinationsDigest, markedDescription } from '../domain/marker.ts';
import { MINUTE } from '../domain/time.ts';
import type { CredentialRecord } from '../ledger/records.ts';
import type { EntryDescription, EntryRef, Vault } from '../vaults/contract.ts';
import { backoff } from './backoff.ts';
import type { Control } from './control.ts';
import type { Decision, Situation } from './decision.ts';
import { vaultOf } from './look.ts';
import type { MissingMarks } from './marks.ts';
import { issuerOf } from './observe.ts';
import type { World } from './world.ts';

/** How long after a write began a look may tell what that write left: a process may stand still in between. */
const LOOKED_AFTER = MINUTE;

/**
 * Writes marks back that somebody took off (C7, C8). The attempt is stored first, with the time of the next one: whether
 * a mark stays is for a later look to say, past the lag of lists, and a PUT that is ignored is not repeated in a loop.
 */
export async function restore(
  world: World,
  situation: Situation,
  { entries, secrets, reason }: Extract<Decision, { action: 'restore' }>,
  control: Control,
): Promise<void> {
  const { observation, record } = situation;
  const attempts = (record.unmarked?.attempts ?? 0) + 1;
  const wait = Math.max(observation.timing.listLag, backoff(attempts, world.random.next()));
  const unmarked = { attempts, retryAt: world.clock.now() + wait, error: null };
  if (!(await world.ledger.commit({ credentials: [{ ...record, unmarked }] }))) return;
  const fields = { ...observation.key, name: record.name, reason };
  let problem: string | null = null;
  for (const entry of entries) {
    const place = { ...fields, vault: entry.destination.vault, entry: entry.destination.entry };
    try {
      await restoreEntry(world, situation, entry, control);
      world.events.tell({ type: 'mark-restored', ...place });
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      problem = error.message;
      world.events.tell({ type: 'restore-failed', ...place, secretId: null, error: problem });
    }
  }
  for (const each of secrets) {
    const { secretId } = each.secret;
    try {
      await restoreSecret(world, situation, each, control);
      world.events.tell({ type: 'marker-restored', ...fields, secretId });
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error;
      problem = error.message;
      const none = { vault: null, entry: null };
      world.events.tell({ type: 'restore-failed', ...fields, ...none, secretId, error: problem });
    }
  }
  if (problem === null) return;
  const failed = { unmarked: { ...unmarked, error: problem }, lastError: problem, lastReason: reason };
  await edit(world, record, (stored) => ({ ...stored, ...failed }));
}

async function restoreEntry(
  world: World,
  { observation, record }: Situation,
  { destination, known }: MissingMarks['entries'][number],
  control: Control,
): Promise<void> {
  const { sight } = destination;
  if (sight.state !== 'present' || known.generation === null || known.secretId === null) return;
  const mark = {
    ...observation.owner,
    generation: known.generation,
    secretId: known.secretId,
    deliveredAt: known.deliveredAt ?? observation.now,
  };
  const ref = { entry: destination.entry, options: destination.options };
  const vault = vaultOf(world, destination.vault);
  const startedAt = world.clock.monotonic();
  const { version } = await vault.restoreMark(ref, mark, sight.version, control.giveUp);
  const after = await lookAfter(vault, ref, control);
  const isOurs = after?.state === 'present' && after.version === version;
  const isRecent = world.clock.monotonic() - startedAt <= LOOKED_AFTER;
  // else the one before stays known: what is there next time counts as touched, for somebody may have been there since
  const revision = isOurs && isRecent ? { revision: after.revision ?? null } : {};
  await edit(world, record, (stored) => ({
    ...stored,
    destinations: stored.destinations.map((each) =>
      each.identity === destination.identity && each.entry === destination.entry
        ? { ...each, version, ...revision }
        : each,
    ),
  }));
}

/** A look that fails tells nothing; the mark is restored all the same. */
async function lookAfter(vault: Vault, ref: EntryRef, { giveUp }: Control): Promise<EntryDescription | null> {
  try {
    return await vault.describe(ref, { prove: true }, giveUp);
  } catch (error) {
    if (error instanceof VaultError) return null;
    throw error;
  }
}

async function restoreSecret(
  world: World,
  { observation, record }: Situation,
  { secret, rotation }: MissingMarks['secrets'][number],
  control: Control,
): Promise<void> {
  const issuer = issuerOf(world, observation.key);
  const marker = {
    instance: observation.owner.instance,
    generation: rotation.generation,
    rotationId: rotation.id,
    // former ones, too: they may serve it, and a ledger that does not know of them must not take it for replaced
    destinations: destinationsDigest(observation.destinations),
  };
  const description = markedDescription(record.name, marker, issuer.descriptionLimit);
  // PUT may replace: always the whole
  const wish = { expires: secret.expires, description };
  await issuer.updateSecret(observation.key.clientId, secret.secretId, wish, control.giveUp);
}

/** A lost race is no harm: the next look sees what is there. */
async function edit(
  world: World,
  key: CredentialRecord,
  change: (stored: CredentialRecord) => CredentialRecord,
): Promise<void> {
  const stored = await world.ledger.credential(key);
  if (stored !== null) await world.ledger.commit({ credentials: [change(stored)] });
}
