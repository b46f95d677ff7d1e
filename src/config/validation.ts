import type { z } from 'zod';
import { didYouMean } from './did-you-mean.ts';
import { knownKeys } from './schema-keys.ts';
import type { TreeReport } from './report.ts';
import type { Path } from './tree.ts';

type Issue = z.core.$ZodIssue;

/** Enough for values that stand inside one another; each round reads at least one more text as what it stands for. */
const MOST_ROUNDS = 50;

/**
 * Checks a value with a schema. Text that stands for a number or a boolean is read as one where the schema asks for it,
 * and nothing (`key:`) where a map or a list is wanted counts as left out. Every problem is told in `report`, in words
 * that never quote the value.
 * @param path where the value stands.
 * @returns what the schema makes of it; undefined where it is not valid.
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path: Path,
  report: TreeReport,
): z.output<Schema> | undefined {
  let holder = { value: structuredClone(value) };
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const result = schema.safeParse(holder.value, { error: messageOf });
    if (result.success) return result.data;
    const issues = result.error.issues.flatMap(unfold);
    const next = structuredClone(holder);
    if (round === MOST_ROUNDS - 1 || !issues.map((issue) => coerce(next, issue)).includes(true)) {
      for (const issue of issues) tell(issue, schema, path, report);
      return undefined;
    }
    holder = next;
  }
  return undefined;
}

/** As {@link validate}, key by key, so that one bad key does not hide the problems of its neighbours. */
export function validateShape<Shape extends z.ZodRawShape>(
  shape: Shape,
  value: unknown,
  path: Path,
  report: TreeReport,
): { [Key in keyof Shape]: z.output<Shape[Key]> | undefined } {
  const object = isRecord(value) ? value : {};
  if (!isRecord(value) && value !== null && value !== undefined) report.value(path, 'must be a map: keys and values');
  tellUnknown(Object.keys(object), Object.keys(shape), path, report);
  const outputs = Object.entries(shape).map(([key, schema]) => [
    key,
    validate(schema as z.ZodType, Object.hasOwn(object, key) ? object[key] : undefined, [...path, key], report),
  ]);
  return Object.fromEntries(outputs) as { [Key in keyof Shape]: z.output<Shape[Key]> | undefined };
}

/** Tells of each key that is not known, and of the one that was probably meant. */
export function tellUnknown(keys: readonly string[], known: readonly string[], path: Path, report: TreeReport): void {
  for (const key of keys) {
    if (!known.includes(key)) report.key([...path, key], `unknown key${didYouMean(key, known)}`);
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The issues of the one branch of a union that was probably meant; the union's own where no branch stands out. */
function unfold(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const meant = issue.errors.filter((branch) => !branch.some(isWrongKind));
  const [first] = meant;
  if (first === undefined || meant.length > 1) {
    const wanted = new Set(issue.errors.flat().map((nested) => nested.message.replace(/^must be /, '')));
    return [{ ...issue, message: `must be ${[...wanted].join(' or ')}` }];
  }
  return first.map((nested) => ({ ...nested, path: [...issue.path, ...nested.path] })).flatMap(unfold);
}

function isWrongKind(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

/** Reads the text at the issue's path as the number or boolean that is asked for. @returns whether it did. */
function coerce(holder: { value: unknown }, issue: Issue): boolean {
  if (issue.code === 'invalid_union') {
    return issue.errors.flat().some((nested) => coerce(holder, { ...nested, path: [...issue.path, ...nested.path] }));
  }
  if (issue.code !== 'invalid_type') return false;
  const steps = ['value', ...issue.path];
  const last = steps.pop() ?? '';
  let parent: unknown = holder;
  for (const step of steps) parent = isRecord(parent) || Array.isArray(parent) ? Reflect.get(parent, step) : undefined;
  if (!isRecord(parent) && !Array.isArray(parent)) return false;
  const read = readAs(issue.expected, Reflect.get(parent, last));
  if (read === null) return false;
  return Reflect.set(parent, last, read.value);
}

function readAs(expected: string, value: unknown): { value: unknown } | null {
  if (value === null && ['object', 'record', 'array'].includes(expected)) return { value: undefined };
  if (typeof value !== 'string') return null;
  if (['number', 'int'].includes(expected) && /^-?\d+(\.\d+)?$/.test(value)) return { value: Number(value) };
  if (expected === 'boolean' && (value === 'true' || value === 'false')) return { value: value === 'true' };
  return null;
}

function tell(issue: Issue, schema: z.ZodType, path: Path, report: TreeReport): void {
  const inner = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const full = [...path, ...inner];
  if (issue.code === 'unrecognized_keys') {
    tellUnknown(issue.keys, knownKeys(schema, inner), full, report);
  } else if (issue.code === 'invalid_key') {
    report.key(full, `the name ${report.foreign(issue.issues[0]?.message ?? 'is not allowed')}`);
  } else {
    report.value(full, report.foreign(issue.message));
  }
}

/** The words for an issue of zod's own; a schema's own message goes before. None of them quotes the value. */
function messageOf(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return 'is required';
    if (issue.input === null) return `is empty: it must be ${kindOf(issue.expected)}`;
    const hint = issue.expected === 'string' && typeof issue.input !== 'object' ? ' (put it in quotes)' : '';
    return `must be ${kindOf(issue.expected)}${hint}`;
  }
  if (issue.code === 'invalid_value') {
    if (issue.input === undefined) return 'is required';
    return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
  }
  if (issue.code === 'too_small') return limitWords(issue.origin, issue.minimum, issue.inclusive, 'at least', 'above');
  if (issue.code === 'too_big') return limitWords(issue.origin, issue.maximum, issue.inclusive, 'at most', 'below');
  if (issue.code === 'invalid_format') return 'does not have the right form';
  if (issue.code === 'not_multiple_of') return `must be a multiple of ${issue.divisor}`;
  return 'is not valid';
}

function kindOf(expected: string): string {
  switch (expected) {
    case 'string':
      return 'text';
    case 'number':
      return 'a number';
    case 'int':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    case 'array':
      return 'a list';
    case 'object':
    case 'record':
      return 'a map: keys and values';
    default:
      return expected;
  }
}

function limitWords(
  origin: string,
  limit: number | bigint,
  inclusive: boolean | undefined,
  within: string,
  beyond: string,
): string {
  if (origin === 'string' || origin === 'array' || origin === 'set' || origin === 'object') {
    if (within === 'at least' && Number(limit) === 1) return 'must not be empty';
    return `must have ${within} ${limit} ${origin === 'string' ? 'characters' : 'entries'}`;
  }
  return inclusive === false ? `must be ${beyond} ${limit}` : `must be ${within} ${limit}`;
}
