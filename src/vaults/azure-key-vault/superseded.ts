import { safeMessage } from '../../domain/errors.ts';
import { isOurs } from '../../domain/mark.ts';
import type { Mark } from '../../domain/mark.ts';
import type { VaultContext } from '../contract.ts';
import type { Secrets, Version } from './secrets.ts';
import { markIn } from './tags.ts';

/**
 * Which versions a delivery disables: enabled ones of the same owner whose generation is older than the newest that
 * came before this one. So the generation that is superseded now keeps its version, as long as its secret lives.
 * @param keep ids that stay whatever their marks say: the new version, and the one that was current until now.
 */
export function outdated(versions: readonly Version[], mark: Mark, keep: ReadonlySet<string>): string[] {
  const ours = versions.flatMap((version) => {
    const found = markIn(version.tags);
    return found !== null && isOurs(found, mark) ? [{ ...version, generation: found.generation }] : [];
  });
  const before = ours.map(({ generation }) => generation).filter((generation) => generation < mark.generation);
  const newest = Math.max(Number.NEGATIVE_INFINITY, ...before);
  return ours
    .filter(({ id, enabled, generation }) => enabled && generation < newest && !keep.has(id))
    .map(({ id }) => id);
}

/** Disables them. The delivery is done by then: what fails here is told, and is made up for by the next one. */
export async function disableOutdated(
  secrets: Secrets,
  context: VaultContext,
  delivery: { readonly name: string; readonly mark: Mark; readonly keep: ReadonlySet<string> },
  signal: AbortSignal | undefined,
): Promise<void> {
  const { name, mark, keep } = delivery;
  try {
    for (const id of outdated(await secrets.versions(name, signal), mark, keep)) {
      await secrets.disable(name, id, signal);
    }
  } catch (error) {
    context.log.warn('vault-tidy-failed', 'Superseded versions of an entry could not be disabled.', {
      vault: context.name,
      entry: name,
      error: safeMessage(error),
    });
  }
}
