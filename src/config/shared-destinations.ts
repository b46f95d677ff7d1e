import type { ReadRule } from './rules.ts';
import type { TreeReport } from './report.ts';
import { formatPath } from './tree.ts';

/**
 * Refuses what the rules alone prove to be shared (C4): the same place twice in one rule, a place that is the same for
 * every credential in a rule that matches several, and a place that two rules name. What shows only once names are known
 * is `blocked`, `destination-shared`, later.
 */
export function checkSharedDestinations(rules: readonly ReadRule[], report: TreeReport): void {
  const claims = new Map<string, string>();
  for (const { rule, path, isOne, deliveries } of rules) {
    if (rule.ignore) continue;
    const templates = new Set<string>();
    for (const delivery of deliveries) {
      const at = [...delivery.path, 'name'];
      const place = delivery.place;
      const claimed = place === null ? undefined : claims.get(place);
      if (templates.has(delivery.template)) {
        report.value(at, 'this rule delivers there already');
      } else if (place !== null && !isOne) {
        report.value(
          at,
          'the rule may match several credentials, and all of them would be delivered to this one entry: put a placeholder such as {clientId} into its name',
        );
      } else if (claimed !== undefined) {
        report.value(at, `${claimed} delivers to this entry already: an entry holds the secret of one credential`);
      }
      templates.add(delivery.template);
      if (place !== null && claimed === undefined) claims.set(place, formatPath(path));
    }
  }
}
