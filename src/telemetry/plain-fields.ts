import { safeMessage } from '../domain/errors.ts';
import { SecretValue } from '../domain/secret-value.ts';

const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_TEXT = 2_000;

/**
 * What of a log field may be written: plain data, bounded in depth, length and size. Errors become their safe message
 * (no stack, no cause: those of foreign libraries quote requests), a SecretValue `[redacted]`, and objects of any class
 * just the class's name, because a library's response or buffer may hold a value. It does not throw, cycles included.
 */
export function plainField(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
    case 'undefined':
      return value;
    case 'bigint':
      return String(value);
    case 'symbol':
    case 'function':
      return `[${typeof value}]`;
    case 'object':
      return value === null ? null : plainObject(value, depth);
  }
}

function plainObject(value: object, depth: number): unknown {
  if (value instanceof SecretValue) return value.toString();
  if (value instanceof Error) return safeMessage(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (depth >= MAX_DEPTH) return '[…]';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => plainField(item, depth + 1));
  if (value instanceof Set) return [...value].slice(0, MAX_ITEMS).map((item) => plainField(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `[${className(prototype)}]`;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_ITEMS)
      .map(([key, item]) => [key, plainField(item, depth + 1)]),
  );
}

function className(prototype: unknown): string {
  const { constructor } = prototype as { readonly constructor?: unknown };
  return typeof constructor === 'function' ? constructor.name : 'object';
}
