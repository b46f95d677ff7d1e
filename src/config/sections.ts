import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { Backends, IssuerShape, LedgerShape, VaultShape } from './backends.ts';
import { didYouMean } from './did-you-mean.ts';
import { urlProblem } from './fields.ts';
import { vaultShape } from './schema.ts';
import { isFree, isOpen, knownKeys } from './schema-keys.ts';
import type { VaultSettings } from './settings.ts';
import type { TreeReport } from './report.ts';
import { nodeAt } from './tree.ts';
import type { Path } from './tree.ts';
import { isRecord, tellUnknown, validate, validateShape } from './validation.ts';

export interface TypedSettings {
  readonly type: string;
  readonly options: unknown;
}

/** A vault with what tells it from others: equal places are provably the same store. */
export interface ReadVault {
  readonly settings: VaultSettings;
  readonly shape: VaultShape;
  readonly place: string;
}

/** Reads the section `issuers`. */
export function readIssuers(
  section: unknown,
  types: Backends['issuers'],
  report: TreeReport,
): ReadonlyMap<string, TypedSettings> {
  const issuers = new Map<string, TypedSettings>();
  for (const [name, value] of namedSections(section)) {
    const path = ['issuers', name];
    const typed = typeOf(value, types, path, report);
    if (typed === null) continue;
    const options = readOptions(typed.shape, typed.rest, [], path, report);
    checkUrls(notFree(typed), path, report);
    issuers.set(name, { type: typed.type, options });
  }
  if (isRecord(section) && Object.keys(section).length === 0) {
    report.value(['issuers'], 'at least one issuer is required');
  }
  return issuers;
}

/** Reads the section `vaults`. A vault whose type is unknown is left out. @param folder of the main configuration file. */
export function readVaults(
  section: unknown,
  types: Backends['vaults'],
  folder: string,
  report: TreeReport,
): ReadonlyMap<string, ReadVault> {
  const vaults = new Map<string, ReadVault>();
  for (const [name, value] of namedSections(section)) {
    const path = ['vaults', name];
    const typed = typeOf(value, types, path, report);
    if (typed === null) continue;
    const own = Object.entries(typed.rest).filter(([key]) => !Object.hasOwn(vaultShape, key));
    const common = Object.entries(typed.rest).filter(([key]) => Object.hasOwn(vaultShape, key));
    const shared = validateShape(vaultShape, Object.fromEntries(common), path, report);
    const options = readOptions(typed.shape, Object.fromEntries(own), Object.keys(vaultShape), path, report);
    checkUrls(notFree(typed), path, report);
    const located = locatePaths(options, typed.shape.paths, path, folder, report);
    vaults.set(name, {
      shape: typed.shape,
      settings: {
        type: typed.type,
        options: located,
        timeout: shared.timeout ?? 0,
        requestsPerSecond: shared.requestsPerSecond ?? 0,
        readBack: shared.readBack ?? 0,
      },
      place: placeOfVault(name, typed.type, Object.fromEntries(own), located, typed.shape.paths),
    });
  }
  return vaults;
}

/** Reads the section `ledger`. @param folder of the main configuration file. */
export function readLedger(
  section: unknown,
  types: Backends['ledgers'],
  folder: string,
  report: TreeReport,
): TypedSettings {
  const value = isRecord(section) ? { type: 'sqlite', ...section } : { type: 'sqlite' };
  const typed = typeOf(value, types, ['ledger'], report);
  if (typed === null) return { type: 'sqlite', options: {} };
  const options = readOptions(typed.shape, typed.rest, [], ['ledger'], report);
  return { type: typed.type, options: locatePaths(options, typed.shape.paths, ['ledger'], folder, report) };
}

function namedSections(section: unknown): [string, unknown][] {
  return isRecord(section) ? Object.entries(section) : [];
}

/** The type that a section names, and the rest of it; null where it cannot be told, which is reported. */
function typeOf<Shape extends IssuerShape | LedgerShape>(
  value: unknown,
  types: ReadonlyMap<string, Shape>,
  path: Path,
  report: TreeReport,
): { type: string; shape: Shape; rest: Record<string, unknown> } | null {
  if (!isRecord(value)) return null; // told by the schema of the whole
  const known = [...types.keys()];
  const { type: written, ...rest } = value;
  const type = validate(z.string(), written, [...path, 'type'], report);
  if (type === undefined) return null;
  const shape = types.get(type);
  if (shape !== undefined) return { type, shape, rest };
  const at = [...path, 'type'];
  report.value(at, `unknown type ${report.quoted(at)}${didYouMean(type, known)} (known: ${known.join(', ')})`);
  return null;
}

function readOptions(
  shape: IssuerShape | LedgerShape,
  rest: Record<string, unknown>,
  alsoKnown: readonly string[],
  path: Path,
  report: TreeReport,
): unknown {
  if (isOpen(shape.schema)) return validate(shape.schema, rest, path, report);
  const known = knownKeys(shape.schema, []);
  tellUnknown(Object.keys(rest), [...known, ...alsoKnown, 'type'], path, report);
  const kept = Object.fromEntries(Object.entries(rest).filter(([key]) => known.includes(key)));
  return validate(shape.schema, kept, path, report);
}

/** A section without what its type only hands on, such as tags and the options of a module: a URL there is not ours to use. */
function notFree({ shape, rest }: { shape: IssuerShape; rest: Record<string, unknown> }): Record<string, unknown> {
  return Object.fromEntries(Object.entries(rest).filter(([key]) => !isFree(shape.schema, key)));
}

/** Every option whose key ends in `url` must be safe for secrets. Where the schema told of it, it is not told twice. */
function checkUrls(value: unknown, path: Path, report: TreeReport): void {
  if (!isRecord(value)) return;
  for (const [key, item] of Object.entries(value)) {
    const at = [...path, key];
    if (typeof item === 'string' && /url$/i.test(key)) {
      const problem = urlProblem(item);
      if (problem !== null && !report.tells(at)) report.value(at, problem);
    }
    checkUrls(item, at, report);
  }
}

/** Relative paths start from the folder of the file in which they stand; a default's from the main file's. */
function locatePaths(
  options: unknown,
  names: readonly string[],
  path: Path,
  folder: string,
  report: TreeReport,
): unknown {
  if (!isRecord(options)) return options;
  const located = { ...options };
  for (const name of names) {
    const value = located[name];
    if (typeof value === 'string') located[name] = resolve(folderOf(report, [...path, name], folder), value);
  }
  return located;
}

/** The folder of the file in which the value at `path` stands; `fallback` where it stands in none. */
export function folderOf(report: TreeReport, path: Path, fallback: string): string {
  const node = nodeAt(report.root, path);
  return node === null ? fallback : dirname(resolve(node.place.file));
}

/**
 * Two vaults with equal type and options are one store under two names (not where nothing is written: stores in memory).
 * What a schema hides is compared as written.
 */
function placeOfVault(
  name: string,
  type: string,
  written: Record<string, unknown>,
  located: unknown,
  paths: readonly string[],
): string {
  if (!isRecord(located) || Object.keys(written).length === 0) return JSON.stringify([name]);
  const own = { ...written };
  for (const path of paths) if (Object.hasOwn(located, path)) own[path] = located[path];
  return JSON.stringify([type, sorted(own)]);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  return Object.keys(value)
    .sort()
    .map((key) => [key, sorted(value[key])]);
}
