import { compilePattern } from './pattern.ts';
import type { Pattern } from './pattern.ts';
import { RESERVED } from './placeholders.ts';
import type { Captures } from './placeholders.ts';
import type { TreeReport } from './report.ts';
import type { Rule } from './settings.ts';
import type { Path } from './tree.ts';

type OneOrMany = string | readonly string[] | undefined;

/** Compiled; null: any text. */
export interface MatchPatterns {
  readonly clientId: readonly Pattern[] | null;
  readonly description: readonly Pattern[] | null;
}

export interface ReadMatch {
  readonly match: Rule['match'];
  readonly patterns: MatchPatterns;
  readonly captures: Captures;
  /** `clientId` and `description`, where the one pattern for it is one text, without globs and captures. */
  readonly fixed: Readonly<Record<string, string>>;
}

/** Reads a rule's `match` and compiles its patterns once, to tell what is wrong with them. */
export function readMatch(
  written: { readonly clientId: OneOrMany; readonly description: OneOrMany },
  path: Path,
  report: TreeReport,
): ReadMatch {
  if (written.clientId === undefined && written.description === undefined) {
    report.value(path, 'clientId, description or both are required ("*" matches all)');
  }
  const clientId = compileAll(written.clientId, [...path, 'clientId'], report);
  const description = compileAll(written.description, [...path, 'description'], report);
  const all = [...clientId, ...description].flatMap((pattern) => pattern.captures);
  const sure = (name: string): boolean => fillsAll(clientId, name) || fillsAll(description, name);
  for (const name of new Set(clientId.flatMap((pattern) => pattern.captures))) {
    if (description.some((pattern) => pattern.captures.includes(name))) {
      const message = `{${name}} is captured from the clientId already`;
      report.part([...path, 'description'], message, 'captures what is captured from the clientId already');
    }
  }
  return {
    match: { clientId: asList(written.clientId), description: asList(written.description) },
    captures: { sure: all.filter(sure), some: all.filter((name) => !sure(name)) },
    patterns: {
      clientId: written.clientId === undefined ? null : clientId,
      description: written.description === undefined ? null : description,
    },
    fixed: { ...oneText('clientId', clientId), ...oneText('description', description) },
  };
}

function compileAll(written: OneOrMany, path: Path, report: TreeReport): Pattern[] {
  const compiled: Pattern[] = [];
  for (const [index, source] of (asList(written) ?? []).entries()) {
    const at = typeof written === 'string' ? path : [...path, index];
    const pattern = compilePattern(source);
    if ('problem' in pattern) {
      report.part(at, pattern.problem, 'is not a pattern that can be used');
      continue;
    }
    const reserved = pattern.captures.filter((name) => RESERVED.includes(name));
    for (const name of reserved)
      report.part(at, `{${name}} has a meaning of its own and cannot be captured`, 'captures a name that is taken');
    compiled.push(pattern);
  }
  return compiled;
}

function asList(written: OneOrMany): readonly string[] | null {
  if (written === undefined) return null;
  return typeof written === 'string' ? [written] : written;
}

function fillsAll(patterns: readonly Pattern[], name: string): boolean {
  return patterns.length > 0 && patterns.every((pattern) => pattern.captures.includes(name));
}

function oneText(name: string, [pattern, ...others]: readonly Pattern[]): Readonly<Record<string, string>> {
  return pattern?.isLiteral === true && others.length === 0 ? { [name]: pattern.source } : {};
}
