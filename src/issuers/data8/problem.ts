import { isObject, parseJson } from '../../domain/json.ts';
import type { SecretValue } from '../../domain/secret-value.ts';

/** All that is kept of an error's body. */
export interface Problem {
  readonly type: string | null;
  readonly title: string | null;
  readonly trace: string | null;
}

const NOTHING: Problem = { type: null, title: null, trace: null };
const TYPE = /^(?:https?:\/\/|urn:|about:)[\x21-\x7e]{1,200}$/;
const TRACE = /^[0-9A-Za-z:|.-]{1,100}$/;
/** Words that no title has and generated secrets are: a value that we do not know yet may be quoted, too. */
const LONG_WORD = /[A-Za-z0-9_~+=-]{20,}/g;

/**
 * Keeps type, title and trace id of a ProblemDetails body, cut to length, without control characters, and without
 * anything that holds one of `secrets` in any of the usual spellings. Of a body that is none, nothing. Never throws.
 */
export function distillProblem(body: string | null, secrets: readonly SecretValue[]): Problem {
  const object = parseObject(body);
  if (object === null) return NOTHING;
  const spellings = secrets.flatMap(spellingsOf);
  const keep = (value: unknown, shape: (text: string) => string | null): string | null => {
    if (typeof value !== 'string' || spellings.some((spelling) => value.includes(spelling))) return null;
    return shape(value);
  };
  return {
    type: keep(object['type'], (text) => (TYPE.test(text) ? hideLongWords(text.replace(/[?#].*$/, '')) : null)),
    title: keep(object['title'], (text) => {
      const plain = hideLongWords(text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')).trim();
      return plain === '' ? null : plain.slice(0, 120);
    }),
    trace: keep(object['traceId'] ?? object['trace_id'], (text) => (TRACE.test(text) ? text : null)),
  };
}

/** A problem in a few words, to stand behind a status; empty where nothing is known. */
export function describeProblem(problem: Problem): string {
  const parts = [
    problem.title === null ? '' : `"${problem.title}"`,
    problem.type === null || problem.type === 'about:blank' ? '' : `type ${problem.type}`,
    problem.trace === null ? '' : `trace ${problem.trace}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** Parses a JSON object. Null for anything else: the parser's own message would quote its input. */
export function parseObject(text: string | null): Readonly<Record<string, unknown>> | null {
  const value = parseJson(text);
  return isObject(value) ? value : null;
}

function hideLongWords(text: string): string {
  return text.replace(LONG_WORD, '…');
}

function spellingsOf(secret: SecretValue): string[] {
  if (secret.isEmpty) return [];
  const value = secret.reveal();
  return [
    value,
    encodeURIComponent(value),
    new URLSearchParams([['', value]]).toString().slice(1),
    JSON.stringify(value).slice(1, -1),
    Buffer.from(value).toString('base64').replace(/=+$/, ''),
    Buffer.from(value).toString('base64url'),
  ];
}
