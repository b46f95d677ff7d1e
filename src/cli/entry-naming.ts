import type { VaultShape } from '../config/backends.ts';

/** How `init` names entries in the vault that it delivers to. */
export interface EntryNaming {
  readonly vault: string;
  /** What stands before a credential's name. */
  readonly prefix: string;
  /** To be said at each destination, because the vault says none; null: nothing is to be said. */
  readonly namespace: string | null;
  /** Whether the vault can have an entry named after a credential of this name. */
  takes(name: string): boolean;
}

/**
 * Below `data8/` where the vault has folders, else with a dash; so also where the first part of a name would be a namespace.
 * @param type null: not known, so that nothing is said against any name.
 * @param options the vault's own, as they were loaded.
 */
export function entryNaming(vault: string, type: VaultShape | null, options: unknown): EntryNaming {
  const isTaken = (name: string, own: Readonly<Record<string, unknown>>): boolean =>
    type === null || type.nameProblem(name, own, options) === null;
  const hasNamespaces = type !== null && Object.hasOwn(type.destination, 'namespace');
  const prefix = !hasNamespaces && isTaken('data8/x', {}) ? 'data8/' : 'data8-';
  const namespace = hasNamespaces && !isTaken(`${prefix}x`, {}) ? 'default' : null;
  const own = namespace === null ? {} : { namespace };
  return { vault, prefix, namespace, takes: (name) => isTaken(prefix + name, own) };
}
