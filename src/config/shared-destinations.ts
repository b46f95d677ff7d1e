import type { ReadRule } from './rules.ts';
import { neverWins } from './rule-cover.ts';
import type { TreeReport } from './report.ts';
import { formatPath } from './tree.ts';

/**
 * Refuses what the rules alone prove to be shared (C4): the same place twice in one rule, and a place that two rules name.
 * A rule that may match several credentials proves nothing: it may match one. What shows only once credentials are known
 * is `blocked`, `destination-shared`, later.
 */
export function checkSharedDestinations(rules: readonly ReadRule[], report: TreeReport): void {
  const claims = new Map<string, ReadRule[]>();
  for (const rule of rules) {
    if (rule.rule.ignore) continue;
    const templates = new Set<string>();
    for (const { path, place, template } of rule.deliveries) {
      const at = [...path, 'name'];
      const claimants = place === null ? [] : (claims.get(place) ?? []);
      if (templates.has(template) || claimants.includes(rule)) {
        report.value(at, 'this rule delivers there already');
      } else {
        // asked only of rules that name one place: there may be a rule for each of very many credentials
        const other = claimants.find((claimant) => mayBothWin(claimant, rule) && !isDead(claimant, rules));
        if (other !== undefined && !isDead(rule, rules)) {
          const taken = `${formatPath(other.path)} delivers to this entry already`;
          report.value(at, `${taken}: an entry holds the secret of one credential`);
        }
      }
      templates.add(template);
      if (place !== null) claims.set(place, [...claimants, rule]);
    }
  }
}

/** Not two rules for one credential: the first that matches its description of the day has it. */
function mayBothWin(one: ReadRule, other: ReadRule): boolean {
  return one.clientId === null || one.clientId !== other.clientId || one.rule.issuer !== other.rule.issuer;
}

function isDead(one: ReadRule, rules: readonly ReadRule[]): boolean {
  const before = rules.slice(0, rules.indexOf(one)).filter(({ rule }) => rule.issuer === one.rule.issuer);
  return neverWins(
    one.patterns,
    before.map(({ patterns }) => patterns),
  );
}
