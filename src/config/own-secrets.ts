import { fieldHoldsSecret } from '../domain/payload-reading.ts';
import type { Format } from '../domain/payload.ts';
import { didYouMean } from './did-you-mean.ts';
import type { ReadVault, TypedSettings } from './sections.ts';
import type { TreeReport } from './report.ts';
import type { ReadRule } from './rules.ts';
import { isRecord } from './validation.ts';

/** Where the secret of an issuer's own client is kept. */
export interface OwnSecret {
  readonly issuer: string;
  readonly vault: string;
  readonly entry: string;
  readonly field: string;
}

/** The own secrets that are kept in vaults, as the issuers' checked options name them. */
export function ownSecretsOf(issuers: ReadonlyMap<string, TypedSettings>): OwnSecret[] {
  return [...issuers].flatMap(([issuer, { options }]) => {
    const reference = isRecord(options) ? options['clientSecret'] : null;
    if (!isRecord(reference)) return [];
    const { vault, entry, field } = reference;
    const isWhole = typeof vault === 'string' && typeof entry === 'string' && typeof field === 'string';
    return isWhole ? [{ issuer, vault, entry, field }] : [];
  });
}

/** An issuer's own secret that is kept in a vault: the vault must be there, and can have an entry of that name. */
export function checkOwnSecrets(
  issuers: ReadonlyMap<string, TypedSettings>,
  vaults: ReadonlyMap<string, ReadVault>,
  vaultNames: readonly string[],
  report: TreeReport,
): void {
  for (const own of ownSecretsOf(issuers)) {
    const at = ['issuers', own.issuer, 'clientSecret'];
    const vault = vaults.get(own.vault);
    if (!vaultNames.includes(own.vault)) {
      const place = [...at, 'vault'];
      report.value(place, `there is no vault ${report.quoted(place)}${didYouMean(own.vault, vaultNames)}`);
    } else if (vault !== undefined) {
      const problem = vault.shape.nameProblem(own.entry, {}, vault.settings.options);
      if (problem !== null) report.value([...at, 'entry'], problem);
    }
  }
}

/**
 * What is delivered to the entry that our own secret is read from must hold it as it is read, or rekeyd would lock itself
 * out with its first rotation. Here of names that are the same for every credential; of others once they are known.
 */
export function checkOwnDeliveries(
  issuers: ReadonlyMap<string, TypedSettings>,
  vaults: ReadonlyMap<string, ReadVault>,
  rules: readonly ReadRule[],
  report: TreeReport,
): void {
  const deliveries = rules.filter(({ rule }) => !rule.ignore).flatMap((rule) => rule.deliveries);
  for (const own of ownSecretsOf(issuers)) {
    const vault = vaults.get(own.vault);
    if (vault === undefined) continue;
    const place = JSON.stringify([vault.place, vault.shape.entryOf(own.entry, {}, vault.settings.options)]);
    for (const { settings, path } of deliveries.filter((each) => each.place === place)) {
      const problem = ownFormatProblem(own, settings.format);
      if (problem !== null) report.value([...path, settings.format.kind === 'text' ? 'template' : 'fields'], problem);
    }
  }
}

/** Why our own secret would not be found in what is delivered in this format to its entry; null where it would. */
export function ownFormatProblem({ issuer, field }: OwnSecret, format: Format): string | null {
  return fieldHoldsSecret(field, format)
    ? null
    : `issuers.${issuer}.clientSecret is read from this entry, and would not be found in it: deliver with format value, or {clientSecret} alone in the field that is named there (default: clientSecret)`;
}
