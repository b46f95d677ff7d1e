import { placeholdersIn } from '../domain/payload.ts';
import type { Backends } from './backends.ts';
import { textsIn } from './placeholders.ts';
import type { TreeReport } from './report.ts';
import type { ReadRule } from './rules.ts';
import type { TypedSettings } from './sections.ts';

/** Refuses `{tokenUrl}` in rules of an issuer whose options do not tell its token endpoint: consumers would get another URL. */
export function checkTokenUrls(
  rules: readonly ReadRule[],
  issuers: ReadonlyMap<string, TypedSettings>,
  types: Backends['issuers'],
  report: TreeReport,
): void {
  for (const { rule, path, deliveries } of rules) {
    const issuer = issuers.get(rule.issuer);
    if (issuer?.options === undefined) continue;
    const problem = types.get(issuer.type)?.tokenUrlProblem?.(issuer.options) ?? null;
    if (problem === null) continue;
    const destinations = deliveries.flatMap(({ settings: { name, options, format }, path: at }) =>
      textsIn({ name, ...options, ...format }, at),
    );
    for (const { path: at, text } of [...textsIn({ name: rule.name }, path), ...destinations]) {
      if (!placeholdersIn(text).includes('tokenUrl')) continue;
      report.value(at, `{tokenUrl} would not be the token endpoint: issuers.${rule.issuer}.${problem}`);
    }
  }
}
