import { z } from 'zod';
import { placeholdersIn, substitute } from '../domain/payload.ts';
import { readDelivery } from './delivery.ts';
import type { DeliveryContext, ReadDelivery } from './delivery.ts';
import { didYouMean } from './did-you-mean.ts';
import { UNNAMED_PROBLEM, placeholderProblems } from './placeholders.ts';
import { BUILT_IN_POLICY, checkedPolicy } from './policies.ts';
import { readMatch } from './rule-match.ts';
import type { MatchPatterns, ReadMatch } from './rule-match.ts';
import { ruleShape } from './schema.ts';
import type { Policy, Rule } from './settings.ts';
import { slug } from './slug.ts';
import type { TreeReport } from './report.ts';
import type { Path } from './tree.ts';
import { isRecord, validateShape } from './validation.ts';

/** What rules may speak of. */
export interface RuleContext extends Pick<DeliveryContext, 'vaults' | 'vaultNames'> {
  readonly instance: string;
  readonly issuerNames: readonly string[];
  readonly policies: ReadonlyMap<string, Policy>;
  /** Of windows that name none. */
  readonly timezone: string;
}

/** A rule with what the checks across rules need. */
export interface ReadRule {
  readonly rule: Rule;
  readonly path: Path;
  readonly patterns: MatchPatterns;
  /** The clientId of the one credential that it may match; null: there may be others. */
  readonly clientId: string | null;
  readonly deliveries: readonly (ReadDelivery & { readonly path: Path })[];
}

/** One rule at a time, its destinations on their own: so all problems of all of them are told. */
const shape = { ...ruleShape, deliver: z.array(z.unknown()).default([]) };

/** Reads the section `credentials`. A rule that cannot be used is left out, and reported. */
export function readRules(section: unknown, context: RuleContext, report: TreeReport): ReadRule[] {
  const rules = Array.isArray(section) ? (section as unknown[]) : [];
  return rules.flatMap((value, index) => readRule(value, context, ['credentials', index], report) ?? []);
}

function readRule(value: unknown, context: RuleContext, path: Path, report: TreeReport): ReadRule | undefined {
  if (!isRecord(value)) {
    report.value(path, 'must be a map: issuer, match, …');
    return undefined;
  }
  const written = validateShape(shape, value, path, report);
  const issuer = written.issuer;
  if (issuer !== undefined && !context.issuerNames.includes(issuer)) {
    const at = [...path, 'issuer'];
    report.value(at, `there is no issuer ${report.quoted(at)}${didYouMean(issuer, context.issuerNames)}`);
  }
  const matched =
    written.match === undefined ? undefined : readMatch(matchOf(written.match), [...path, 'match'], report);
  const policy = policyOf(written.policy, context, path, report);
  const fixed = fixedNames(written.name, { issuer: issuer ?? '', instance: context.instance, ...matched?.fixed });
  const deliveries = deliveriesOf(written.deliver ?? [], matched, fixed, context, path, report);
  if (written.deliver?.length === 0 && written.ignore === false && written.suspend === false) {
    report.value([...path, 'deliver'], 'at least one destination is required (or ignore: true, or suspend: true)');
  }
  if (written.name !== undefined && matched !== undefined) {
    for (const problem of placeholderProblems(written.name, 'rule-name', matched.captures)) {
      report.part([...path, 'name'], problem, UNNAMED_PROBLEM);
    }
  }
  if (issuer === undefined || matched === undefined) return undefined;
  return {
    path,
    patterns: matched.patterns,
    clientId: matched.fixed['clientId'] ?? null,
    deliveries,
    rule: {
      issuer,
      match: matched.match,
      ignore: written.ignore ?? false,
      suspend: written.suspend ?? false,
      name: written.name ?? null,
      policy,
      deliver: deliveries.map((delivery) => delivery.settings),
    },
  };
}

function matchOf(written: z.output<typeof ruleShape.match>) {
  return { clientId: written.clientId, description: written.description };
}

function policyOf(
  written: z.output<typeof ruleShape.policy> | undefined,
  context: RuleContext,
  path: Path,
  report: TreeReport,
): Policy {
  const at = [...path, 'policy'];
  const base = context.policies.get('default') ?? BUILT_IN_POLICY;
  if (written === undefined) return base;
  if (typeof written !== 'string') return checkedPolicy(written, base, null, context.timezone, at, report);
  const policy = context.policies.get(written);
  if (policy !== undefined) return policy;
  report.value(at, `there is no policy ${report.quoted(at)}${didYouMean(written, [...context.policies.keys()])}`);
  return base;
}

/** What is known of every credential of a rule, and `name` where that is made of nothing else. */
function fixedNames(ruleName: string | undefined, known: DeliveryContext['fixed']): DeliveryContext['fixed'] {
  const isKnown = (name: string): boolean => Object.hasOwn(known, name);
  if (ruleName !== undefined) {
    return placeholdersIn(ruleName).every(isKnown) ? { ...known, name: substitute(ruleName, known) } : known;
  }
  const name = slug(known['description'] ?? '') || (isKnown('description') ? known['clientId'] : undefined);
  return name === undefined ? known : { ...known, name };
}

function deliveriesOf(
  written: readonly unknown[],
  matched: ReadMatch | undefined,
  fixed: DeliveryContext['fixed'],
  context: RuleContext,
  path: Path,
  report: TreeReport,
): (ReadDelivery & { path: Path })[] {
  const deliveries: (ReadDelivery & { path: Path })[] = [];
  for (const [index, value] of written.entries()) {
    const at = [...path, 'deliver', index];
    const delivery = readDelivery(
      value,
      {
        vaults: context.vaults,
        vaultNames: context.vaultNames,
        captures: matched?.captures ?? { sure: [], some: [] },
        fixed,
      },
      at,
      report,
    );
    if (delivery !== undefined) deliveries.push({ ...delivery, path: at });
  }
  return deliveries;
}
