import { didYouMean } from './did-you-mean.ts';
import type { ReadVault, TypedSettings } from './sections.ts';
import type { TreeReport } from './report.ts';
import { isRecord } from './validation.ts';

/** An issuer's own secret that is kept in a vault: the vault must be there, and can have an entry of that name. */
export function checkOwnSecrets(
  issuers: ReadonlyMap<string, TypedSettings>,
  vaults: ReadonlyMap<string, ReadVault>,
  vaultNames: readonly string[],
  report: TreeReport,
): void {
  for (const [name, { options }] of issuers) {
    const reference = isRecord(options) ? options['clientSecret'] : null;
    if (!isRecord(reference) || typeof reference['vault'] !== 'string') continue;
    const at = ['issuers', name, 'clientSecret'];
    const vault = vaults.get(reference['vault']);
    if (!vaultNames.includes(reference['vault'])) {
      const place = [...at, 'vault'];
      report.value(place, `there is no vault ${report.quoted(place)}${didYouMean(reference['vault'], vaultNames)}`);
    } else if (vault !== undefined && typeof reference['entry'] === 'string') {
      const problem = vault.shape.nameProblem(reference['entry'], {}, vault.settings.options);
      if (problem !== null) report.value([...at, 'entry'], problem);
    }
  }
}
