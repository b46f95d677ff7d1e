import { placeholdersIn } from '../domain/payload.ts';
import { didYouMean } from './did-you-mean.ts';

/** Known for every credential before a secret exists. */
const ALWAYS = ['clientId', 'description', 'issuer', 'instance', 'tokenUrl'] as const;
/** Known once there is a secret: in payloads only. */
const OF_SECRET = ['clientSecret', 'secretId', 'expires'] as const;
/** Names that a capture cannot have. */
export const RESERVED: readonly string[] = [...ALWAYS, ...OF_SECRET, 'name'];

/** Where a template stands: what it may speak of depends on that. */
export type Use = 'rule-name' | 'destination' | 'payload';

/** Said instead of naming the placeholder where the template came out of a variable or a file. */
export const UNNAMED_PROBLEM = 'holds a placeholder that cannot be used here';

/** Captures of a rule's match: those that every pattern fills, and those that only some of them fill. */
export interface Captures {
  readonly sure: readonly string[];
  readonly some: readonly string[];
}

/** What is wrong with the placeholders of a template; one message for each. */
export function placeholderProblems(template: string, use: Use, captures: Captures): string[] {
  const known: readonly string[] = [
    ...ALWAYS,
    ...(use === 'rule-name' ? [] : ['name']),
    ...(use === 'payload' ? OF_SECRET : []),
    ...captures.sure,
  ];
  return [...new Set(placeholdersIn(template))]
    .filter((name) => !known.includes(name))
    .map((name) => {
      if (captures.some.includes(name)) return `{${name}} is captured by some of the rule's patterns, not by all`;
      if ((OF_SECRET as readonly string[]).includes(name)) return `{${name}} cannot be part of a name`;
      if (name === 'name') return '{name} cannot be made of itself';
      return `unknown placeholder {${name}}${didYouMean(name, known)}`;
    });
}

/** All texts inside a value, with where they stand in it. */
export function textsIn(
  value: unknown,
  path: readonly (string | number)[] = [],
): { path: typeof path; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => textsIn(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => textsIn(item, [...path, key]));
}

/** The same value with every text inside it replaced. */
export function mapTexts(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === 'string') return replace(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, replace));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, replace)]));
}
