import type { Terms } from '../config/terms.ts';
import { safeMessage, VaultError } from '../domain/errors.ts';
import { readPayload } from '../domain/payload-reading.ts';
import type { Format } from '../domain/payload.ts';
import type { SecretValue } from '../domain/secret-value.ts';
import type { CredentialRecord, DestinationRecord } from '../ledger/records.ts';
import type { Vault } from '../vaults/contract.ts';
import type { SeenDestination, Sight } from './observation.ts';
import type { World } from './world.ts';

/** Where a credential's value is, or was, to be delivered. */
export interface Place {
  readonly vaultName: string;
  readonly vault: Vault | null;
  readonly identity: string;
  readonly entry: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly format: Format | null;
  readonly known: DestinationRecord | null;
}

/** Present destinations by the rules, and former ones by the ledger. */
export function placesOf(world: World, terms: Terms, record: CredentialRecord): Place[] {
  const wanted = terms.kind === 'managed' ? terms.destinations : [];
  const present = wanted.map((each): Place => {
    const vault = world.vaults.get(each.vault) ?? null;
    const identity = vault?.identity ?? each.vault;
    const known = record.destinations.find((old) => old.identity === identity && old.entry === each.entry) ?? null;
    return {
      vaultName: each.vault,
      vault,
      identity,
      entry: each.entry,
      options: each.options,
      format: each.format,
      known,
    };
  });
  const former = record.destinations
    .filter((old) => !present.some((each) => each.identity === old.identity && each.entry === old.entry))
    // a place that never held anything cannot serve anything; what somebody else put there may be of this credential
    .filter((old) => old.generation !== null || old.state === 'unreachable' || old.state === 'foreign')
    .map((old): Place => {
      const vault = [...world.vaults.values()].find((each) => each.identity === old.identity) ?? null;
      return {
        vaultName: vault?.name ?? old.vault,
        vault,
        identity: old.identity,
        entry: old.entry,
        options: old.options,
        format: null,
        known: old,
      };
    });
  return [...present, ...former];
}

/** Looks at one place, with what is needed to tell whether its mark is bound. */
export async function look(place: Place, signal?: AbortSignal): Promise<SeenDestination> {
  const { vaultName, vault, identity, entry, options, format, known } = place;
  // a former one of which a rebuilt ledger has no format says nothing of its value
  const hasFormat = format !== null || (known !== null && known.format !== null);
  const readable = hasFormat && (vault?.capabilities.readable ?? false);
  const seen = { vault: vaultName, identity, entry, options, format, readable, known, proven: null };
  if (vault === null) {
    const error = `vault ${vaultName} is not in the configuration: put it back, or use forget`;
    return { ...seen, sight: { state: 'unreachable', error } };
  }
  let sight: Sight;
  try {
    sight = await vault.describe({ entry, options }, { prove: true }, signal);
  } catch (error) {
    signal?.throwIfAborted();
    sight = { state: 'unreachable', error: safeMessage(error) };
  }
  return { ...seen, sight };
}

/**
 * Reads a destination's value back, by the format it was delivered in.
 * @returns null where there is no value, or it does not have the format's shape. @throws VaultError, also where it is not
 * the version that was looked at: a vault that lags may answer with what it held before, which is of another secret.
 */
export async function readValue(
  world: World,
  destination: Pick<SeenDestination, 'vault' | 'entry' | 'options' | 'format' | 'known' | 'sight'>,
  names: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<{ clientSecret: SecretValue; secretId: string | null } | null> {
  const vault = world.vaults.get(destination.vault);
  const format = destination.known?.format ?? destination.format;
  if (vault === undefined || format === null) return null;
  const content = await vault.read({ entry: destination.entry, options: destination.options }, signal);
  if (content.state === 'absent' || content.payload === null) return null;
  if (destination.sight.state !== 'present' || destination.sight.version !== content.version) {
    const { vault: name, entry } = destination;
    throw new VaultError('conflict', `Vault '${name}', entry '${entry}': what was read is not what was looked at`, {
      vault: name,
      entry,
    });
  }
  return readPayload(format, names, content.payload);
}

export function vaultOf(world: World, name: string): Vault {
  const vault = world.vaults.get(name);
  if (vault === undefined)
    throw new VaultError('unavailable', `vault ${name} is not in the configuration`, { vault: name });
  return vault;
}
