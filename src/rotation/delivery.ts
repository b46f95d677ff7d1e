import { isOurs, compareMarks } from '../domain/mark.ts';
import type { Mark } from '../domain/mark.ts';
import { isSameFormat, renderPayload } from '../domain/payload.ts';
import type { Payload } from '../domain/payload.ts';
import { safeMessage, VaultError } from '../domain/errors.ts';
import type { Reason } from '../domain/reason.ts';
import type { SecretValue } from '../domain/secret-value.ts';
import type { Instant } from '../domain/time.ts';
import { ABSENT } from '../vaults/contract.ts';
import type { EntryDescription, EntryRef, Vault } from '../vaults/contract.ts';
import type { Terms } from '../config/terms.ts';
import type { LifeCheck } from './life-check.ts';
import { vaultOf } from './look.ts';
import type { SeenDestination } from './observation.ts';
import { adoptionOf, isRewritten, mayServeAnything } from './remember-destinations.ts';
import type { World } from './world.ts';

/** What is delivered, the same to every destination. */
export interface Consignment {
  readonly mark: Mark;
  /** What events say of it besides. */
  readonly about: { readonly name: string; readonly reason: Reason; readonly rotationId: string | null };
  readonly value: SecretValue;
  /** What is known of the life of its secret. */
  readonly life: LifeCheck;
  readonly expires: Instant | null;
  readonly names: Readonly<Record<string, string>>;
  /** Unmarked entries may be written over: they were adopted, or the rule takes them over. */
  readonly mayTake: (destination: SeenDestination, version: string) => boolean;
}

/** What a look and a write right after it come to. */
type Attempt =
  | {
      readonly outcome: 'served';
      readonly version: string;
      readonly revision: string | null;
      readonly written: boolean;
    }
  /** The entry holds something newer: this consignment is out of date. */
  | { readonly outcome: 'overtaken' }
  | { readonly outcome: 'failed'; readonly error: string };

/**
 * `touched`: until now the entry may have served anything, since somebody had written to it after it was looked at, or what
 * stood there was not ours. Of the second a look says so, too, but not that of a process whose rules do not name the entry.
 */
export type DeliveryResult = Attempt & { readonly touched: boolean };

/** Delivers to all targets side by side; one that fails does not hold up another (V1). Never throws but on abort. */
export async function deliverAll(
  world: World,
  targets: readonly SeenDestination[],
  consignment: Consignment,
  signal: AbortSignal,
): Promise<Map<SeenDestination, DeliveryResult>> {
  const results = await Promise.all(
    targets.map(async (target): Promise<[SeenDestination, DeliveryResult]> => {
      const result = await deliver(world, target, consignment, signal);
      tell(world, target, consignment, result);
      return [target, result];
    }),
  );
  return new Map(results);
}

/** An unmarked entry may be written over at the very version that was read and proven, or where the rule takes it over. */
export function mayTake(terms: Terms, destination: SeenDestination, version: string): boolean {
  const isTaken = terms.kind === 'managed' && terms.policy.initial === 'rotate';
  return isTaken || adoptionOf(destination)?.version === version;
}

const CONFLICTS = 3;

async function deliver(
  world: World,
  target: SeenDestination,
  consignment: Consignment,
  signal: AbortSignal,
): Promise<DeliveryResult> {
  const ref: EntryRef = { entry: target.entry, options: target.options };
  let touched = false;
  try {
    const vault = vaultOf(world, target.vault);
    const payload = payloadOf(target, consignment);
    for (let attempt = 1; ; attempt += 1) {
      const found = await vault.describe(ref, { prove: true }, signal);
      const standing = standingOf(found, target, consignment);
      if (typeof standing !== 'string') return { ...standing, touched };
      touched ||= isUnknown(found, target) || mayServeAnything(target, consignment.mark);
      if (!(await consignment.life.isAlive()))
        return {
          outcome: 'failed',
          error: 'it was not written: the issuer does not accept its secret any more',
          touched,
        };
      try {
        const { version } = await vault.deliver(ref, payload, consignment.mark, standing, signal);
        const revision = await readBack(world, vault, ref, payload, consignment.mark, signal);
        return { outcome: 'served', version, revision, written: true, touched };
      } catch (error) {
        // somebody wrote between our read and our write: read again, and let the order decide (V3)
        if (error instanceof VaultError && error.fault === 'conflict' && attempt < CONFLICTS) continue;
        throw error;
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    return { outcome: 'failed', error: safeMessage(error), touched };
  }
}

/** Whether what is written over is not what the look found, or, where it could not look, what the ledger knows. */
function isUnknown(found: EntryDescription, { sight, known }: SeenDestination): boolean {
  const versionOf = (entry: EntryDescription): string | null => (entry.state === 'absent' ? null : entry.version);
  const before = sight.state === 'unreachable' ? known : sight.state === 'absent' ? null : sight;
  return versionOf(found) !== (before?.version ?? null) || isRewritten(found, before?.revision);
}

function payloadOf(target: SeenDestination, { names, value, mark, expires }: Consignment): Payload {
  if (target.format === null) throw new VaultError('rejected', 'no rule names this destination', target);
  return renderPayload(target.format, { names, clientSecret: value, secretId: mark.secretId, expires });
}

/** The version to write over, or the result where nothing is to be written. */
function standingOf(
  found: EntryDescription,
  target: SeenDestination,
  { mark, mayTake }: Consignment,
): string | Attempt {
  if (found.state === 'absent') return ABSENT;
  if (found.locked !== undefined) return { outcome: 'failed', error: `the entry is locked: ${found.locked}` };
  if (found.mark === null) {
    const stripped = target.known?.version === found.version && target.known.generation !== null;
    if (stripped || mayTake(target, found.version)) return found.version;
    return { outcome: 'failed', error: 'the entry is not ours: it was made or changed by somebody else' };
  }
  if (!isOurs(found.mark, mark)) return { outcome: 'failed', error: 'the entry carries the mark of another' };
  // a mark that does not describe the value says nothing of the order
  if (found.binding !== 'bound') return found.version;
  const order = compareMarks(found.mark, mark);
  if (order > 0) return { outcome: 'overtaken' };
  const { known, format } = target;
  const sameFormat = known?.format == null || (format !== null && isSameFormat(known.format, format));
  if (order !== 0 || !sameFormat) return found.version;
  return { outcome: 'served', version: found.version, revision: found.revision ?? null, written: false };
}

/**
 * Proves the delivery: the entry must hold this mark, bound, and where it can be read, this payload (V12, V13).
 * @returns the revision that it was seen at; null where the vault has none.
 */
async function readBack(
  world: World,
  vault: Vault,
  ref: EntryRef,
  payload: Payload,
  mark: Mark,
  signal: AbortSignal,
): Promise<string | null> {
  const deadline = world.clock.monotonic() + vault.readBack;
  for (let pause = 100; ; pause = Math.min(pause * 2, 5_000)) {
    const seen = vault.capabilities.readable
      ? await vault.read(ref, signal)
      : { ...(await vault.describe(ref, { prove: true }, signal)), payload: undefined };
    if (seen.state === 'present' && seen.mark !== null && isOurs(seen.mark, mark)) {
      const order = compareMarks(seen.mark, mark);
      if (order > 0)
        throw new VaultError('conflict', 'a newer generation came in between', { vault: vault.name, entry: ref.entry });
      const same = seen.payload === undefined || seen.payload?.content.equals(payload.content) === true;
      if (order === 0 && seen.binding === 'bound' && same) return seen.revision ?? null;
    }
    if (world.clock.monotonic() >= deadline) {
      throw new VaultError('unavailable', 'what was written could not be read back', {
        vault: vault.name,
        entry: ref.entry,
      });
    }
    await world.ticker.sleep(pause, signal);
  }
}

function tell(world: World, target: SeenDestination, { mark, about }: Consignment, result: DeliveryResult): void {
  const fields = {
    issuer: mark.issuer,
    clientId: mark.credential,
    ...about,
    vault: target.vault,
    entry: target.entry,
    generation: mark.generation,
    secretId: mark.secretId,
  };
  if (result.outcome === 'served') {
    world.events.tell({ type: result.written ? 'entry-delivered' : 'entry-kept', ...fields });
  } else if (result.outcome === 'failed') {
    world.events.tell({ type: 'delivery-failed', ...fields, error: result.error });
  } else {
    world.events.tell({ type: 'delivery-overtaken', ...fields });
  }
}
