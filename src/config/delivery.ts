import { placeholdersIn, substitute } from '../domain/payload.ts';
import type { z } from 'zod';
import { didYouMean } from './did-you-mean.ts';
import { entryNameProblem } from './entry-name.ts';
import { readFormat } from './format.ts';
import { mapTexts, UNNAMED_PROBLEM, placeholderProblems, textsIn } from './placeholders.ts';
import type { Captures } from './placeholders.ts';
import { deliverShape } from './schema.ts';
import type { ReadVault } from './sections.ts';
import type { DeliverSettings } from './settings.ts';
import type { TreeReport } from './report.ts';
import type { Path } from './tree.ts';
import { isRecord, tellUnknown, validateShape } from './validation.ts';

/** Placeholders that no credential has a part in. */
const INSTALLATION: readonly string[] = ['issuer', 'instance'];

/** What a destination may speak of. */
export interface DeliveryContext {
  readonly vaults: ReadonlyMap<string, ReadVault>;
  /** Every name in `vaults`, also of those that are not valid. */
  readonly vaultNames: readonly string[];
  readonly captures: Captures;
  /** Placeholders that stand for the same in every credential of the rule. */
  readonly fixed: Readonly<Record<string, string>>;
}

export interface ReadDelivery {
  readonly settings: DeliverSettings;
  /** Equal texts are provably the same vault and the same way of naming the entry. */
  readonly template: string;
  /** The place it names whatever the credential; null where that depends on the credential. */
  readonly place: string | null;
}

/** Reads one entry of a rule's `deliver`. @returns undefined where it cannot be used, which is reported. */
export function readDelivery(
  value: unknown,
  context: DeliveryContext,
  path: Path,
  report: TreeReport,
): ReadDelivery | undefined {
  if (!isRecord(value)) {
    report.value(path, 'must be a map: vault, name, …');
    return undefined;
  }
  const vaultName = typeof value['vault'] === 'string' ? value['vault'] : undefined;
  const vault = vaultName === undefined ? undefined : context.vaults.get(vaultName);
  if (vaultName !== undefined && !context.vaultNames.includes(vaultName)) {
    const at = [...path, 'vault'];
    report.value(at, `there is no vault ${report.quoted(at)}${didYouMean(vaultName, context.vaultNames)}`);
  }
  const destination = vault?.shape.destination ?? {};
  if (vault !== undefined) {
    tellUnknown(Object.keys(value), [...Object.keys(deliverShape), ...Object.keys(destination)], path, report);
  }
  const common = validateShape(deliverShape, known(value, deliverShape), path, report);
  const own = vault === undefined ? {} : validateShape(destination, known(value, destination), path, report);
  const options = Object.fromEntries(Object.entries(own).filter(([, option]) => option !== undefined));
  const before = { name: common.name, ...options };
  let sound = true;
  for (const { path: inner, text } of textsIn(before)) {
    for (const problem of placeholderProblems(text, 'destination', context.captures)) {
      sound = false;
      report.part([...path, ...inner], problem, UNNAMED_PROBLEM);
    }
  }
  const { format: kind, fields, template } = common;
  const format =
    kind === undefined
      ? undefined
      : readFormat({ format: kind, fields, template }, context.captures, vault?.shape.maxBytes ?? null, path, report);
  const misfit = format?.kind === 'fields' ? (vault?.shape.fieldsProblem?.(Object.keys(format.fields)) ?? null) : null;
  if (misfit !== null) {
    sound = false;
    report.value([...path, 'fields'], report.foreign(misfit));
  }
  const unfit = vault?.shape.optionsProblem?.(options, vault.settings.options) ?? null;
  if (unfit !== null) {
    sound = false;
    report.value(path, report.foreign(unfit));
  }
  if (
    !sound ||
    vault === undefined ||
    common.vault === undefined ||
    common.name === undefined ||
    format === undefined
  ) {
    return undefined;
  }
  const settings: DeliverSettings = { vault: common.vault, name: common.name, format, options };
  return {
    settings,
    template: JSON.stringify([vault.place, common.name, options]),
    place: fixedPlace(settings, vault, context, path, report),
  };
}

function known(value: Record<string, unknown>, shape: z.ZodRawShape): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => Object.hasOwn(shape, key)));
}

/**
 * Vault and entry of a destination that is the same for every credential of the rule. What its vault has against it is
 * reported where the rule's match has no part in it; else the credential is blocked once it is there.
 */
function fixedPlace(
  settings: DeliverSettings,
  vault: ReadVault,
  context: DeliveryContext,
  path: Path,
  report: TreeReport,
): string | null {
  const texts = textsIn([settings.name, settings.options]).flatMap(({ text }) => placeholdersIn(text));
  if (texts.some((name) => !Object.hasOwn(context.fixed, name))) return null;
  const name = substitute(settings.name, context.fixed);
  const options = mapTexts(settings.options, (text) => substitute(text, context.fixed)) as DeliverSettings['options'];
  const problem = entryNameProblem(name) ?? vault.shape.nameProblem(name, options, vault.settings.options);
  if (problem !== null) {
    if (!texts.every((placeholder) => INSTALLATION.includes(placeholder))) return null;
    const at = [...path, 'name'];
    report.value(
      at,
      `vault ${settings.vault} cannot hold an entry named ${report.quoted(at)}: ${report.foreign(problem)}`,
    );
    return null;
  }
  return JSON.stringify([vault.place, vault.shape.entryOf(name, options, vault.settings.options)]);
}
