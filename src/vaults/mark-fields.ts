import type { Mark } from '../domain/mark.ts';
import { formatInstant } from '../domain/time.ts';

/** The names of a mark's parts, as vaults keep them behind a prefix of their own (`rekeyd-`, `rekeyd:`, `rekeyd.io/`). */
export const MARK_FIELDS = [
  'managed-by',
  'instance',
  'issuer',
  'credential',
  'generation',
  'secret-id',
  'delivered-at',
] as const;
export type MarkField = (typeof MARK_FIELDS)[number];

const MANAGED_BY = 'rekeyd';

/** A mark as flat texts, without prefix. The inverse of {@link markFromFields}. */
export function markToFields(mark: Mark): Readonly<Record<MarkField, string>> {
  return {
    'managed-by': MANAGED_BY,
    instance: mark.instance,
    issuer: mark.issuer,
    credential: mark.credential,
    generation: String(mark.generation),
    'secret-id': mark.secretId,
    'delivered-at': formatInstant(mark.deliveredAt),
  };
}

/**
 * Reads a mark out of a vault's metadata, prefix already taken off. A mark that lacks a part, or has one that cannot be
 * read, is no mark: another tool took of it what it liked.
 * @returns null where there is no whole mark; it does not throw.
 */
export function markFromFields(fields: Readonly<Record<string, unknown>>): Mark | null {
  const text = (field: MarkField): string | null => {
    const value = Object.hasOwn(fields, field) ? fields[field] : undefined;
    return typeof value === 'string' ? value : null;
  };
  const [instance, issuer, credential, secretId] = [
    text('instance'),
    text('issuer'),
    text('credential'),
    text('secret-id'),
  ];
  const generation = /^\d{1,15}$/.test(text('generation') ?? '') ? Number(text('generation')) : null;
  const deliveredAt = Date.parse(text('delivered-at') ?? '');
  if (text('managed-by') !== MANAGED_BY || generation === null || Number.isNaN(deliveredAt)) return null;
  if (instance === null || issuer === null || credential === null || secretId === null) return null;
  return { instance, issuer, credential, generation, secretId, deliveredAt };
}

/** Whether two marks say the same in every part. */
export function sameMark(a: Mark, b: Mark): boolean {
  const [left, right] = [markToFields(a), markToFields(b)];
  return MARK_FIELDS.every((field) => left[field] === right[field]);
}
