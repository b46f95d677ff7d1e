import type { TypedSettings } from './sections.ts';
import type { ReadRule } from './rules.ts';
import type { TreeReport } from './report.ts';
import { isRecord } from './validation.ts';

/**
 * Tells of rules whose windows are too short for a deletion at their issuer: time for the call, and as much again in which
 * one that was given up may land. What is superseded would stay to its expiry.
 */
export function checkWindowRoom(
  rules: readonly ReadRule[],
  issuers: ReadonlyMap<string, TypedSettings>,
  report: TreeReport,
): void {
  for (const { rule, path } of rules) {
    const options = issuers.get(rule.issuer)?.options;
    const life = isRecord(options) ? options['requestLifetime'] : undefined;
    const { windows } = rule.policy;
    if (windows === null || typeof life !== 'number') continue;
    if (windows.written.some((each) => each.duration >= 2 * life)) continue;
    const problem =
      'its windows are too short for a deletion: one must be at least twice the requestLifetime of its issuer';
    report.value([...path, 'policy'], problem);
  }
}
