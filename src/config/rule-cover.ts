import type { Pattern } from './pattern.ts';
import type { MatchPatterns } from './rule-match.ts';

/**
 * Whether rules before it are seen to take all that a rule matches, so that it never has a credential. False where that
 * shows only by what globs and captures have in common.
 * @param earlier the patterns of the rules of the same issuer that stand before it.
 */
export function neverWins(match: MatchPatterns, earlier: readonly MatchPatterns[]): boolean {
  return ways(match.clientId).every((clientId) =>
    ways(match.description).every((description) =>
      earlier.some((before) => takesAll(before.clientId, clientId) && takesAll(before.description, description)),
    ),
  );
}

/** The patterns one by one; null: any text. */
function ways(patterns: readonly Pattern[] | null): readonly (Pattern | null)[] {
  return patterns ?? [null];
}

function takesAll(before: readonly Pattern[] | null, later: Pattern | null): boolean {
  if (before === null) return true;
  return before.some(
    (pattern) =>
      /^\*+$/.test(pattern.source) ||
      pattern.source === later?.source ||
      (later?.isLiteral === true && pattern.match(later.source) !== null),
  );
}
