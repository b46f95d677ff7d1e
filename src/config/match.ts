import { hash } from 'node:crypto';
import { ConfigError } from '../domain/errors.ts';
import { formatFingerprint, substitute } from '../domain/payload.ts';
import type { Format } from '../domain/payload.ts';
import type { VaultNames } from './backends.ts';
import { entryNameProblem } from './entry-name.ts';
import { ownFormatProblem, ownSecretsOf } from './own-secrets.ts';
import type { OwnSecret } from './own-secrets.ts';
import { compilePattern } from './pattern.ts';
import type { Pattern } from './pattern.ts';
import { mapTexts } from './placeholders.ts';
import type { DeliverSettings, Rule, Settings } from './settings.ts';
import { slug } from './slug.ts';
import type { Destination, ManagedTerms, Terms } from './terms.ts';

/** A credential as the issuer lists it. */
export interface MatchInput {
  readonly clientId: string;
  readonly description: string;
}

/** What the rules say of a credential of an issuer. */
export type Matcher = (issuer: string, credential: MatchInput) => Terms;

/**
 * Compiles the rules. The first one that matches a credential has it.
 * @param vaultTypes by type name: they say what an entry is called, and which names they cannot hold.
 * @throws ConfigError where a pattern cannot be used, which never is so in settings that were loaded.
 * @param options.tokenUrlOf what `{tokenUrl}` stands for; default: the issuer's option `tokenUrl`, else nothing.
 */
export function createMatcher(
  settings: Settings,
  vaultTypes: ReadonlyMap<string, VaultNames>,
  options: { readonly tokenUrlOf?: (issuer: string) => string } = {},
): Matcher {
  const tokenUrlOf = options.tokenUrlOf ?? ((issuer: string) => configuredTokenUrl(settings, issuer));
  const own = ownSecretsOf(settings.issuers);
  const rules = settings.rules.map((rule) => ({
    rule,
    clientId: compileAll(rule.match.clientId),
    description: compileAll(rule.match.description),
  }));
  return (issuer, credential) => {
    for (const { rule, clientId, description } of rules) {
      if (rule.issuer !== issuer) continue;
      const captures = capturesOf(clientId, credential.clientId, description, credential.description);
      if (captures === null) continue;
      if (rule.ignore) return { kind: 'ignored' };
      return resolveRule(rule, {
        credential,
        captures,
        fixed: { issuer, instance: settings.instance, tokenUrl: tokenUrlOf(issuer) },
        settings,
        vaultTypes,
        own,
      });
    }
    return { kind: 'unmanaged' };
  };
}

/** What of an installation decides beside a credential's terms: whose marks are its own, its mode, and which store each vault is. */
export interface Installed extends Pick<Settings, 'instance' | 'mode'> {
  readonly vaults: ReadonlyMap<string, { readonly identity: string }>;
}

/**
 * A short stable digest of all that a plan takes from the configuration: instance and mode, and of the terms name, policy,
 * destinations and the stores that they are in, formats with what is known of them filled in, suspension, problems. Equal
 * digests: nothing to look at because of it.
 */
export function termsDigest(terms: Terms, { instance, mode, vaults }: Installed): string {
  if (terms.kind !== 'managed') return terms.kind;
  const { policy } = terms;
  const parts = [
    terms.suspended,
    terms.name,
    [policy.name, policy.lifetime, policy.renewBefore, policy.grace, policy.maxAge, policy.provisional],
    [policy.verify.method, policy.verify.timeout, policy.verify.settle],
    [policy.initial, policy.retire, policy.unmanaged, policy.windows],
    terms.destinations.map((destination) => [
      destination.vault,
      vaults.get(destination.vault)?.identity ?? null,
      destination.entry,
      canonical(destination.options),
      formatFingerprint(filledIn(destination.format, terms.names)),
    ]),
    terms.problems,
    [instance, mode],
  ];
  return hash('sha256', JSON.stringify(parts), 'hex').slice(0, 16);
}

function compileAll(sources: readonly string[] | null): readonly Pattern[] | null {
  return (
    sources?.map((source) => {
      const pattern = compilePattern(source);
      if (!('problem' in pattern)) return pattern;
      throw new ConfigError([{ file: null, line: null, column: null, key: 'match', message: pattern.problem }]);
    }) ?? null
  );
}

function capturesOf(
  clientId: readonly Pattern[] | null,
  clientIdText: string,
  description: readonly Pattern[] | null,
  descriptionText: string,
): Readonly<Record<string, string>> | null {
  const fromId = firstMatch(clientId, clientIdText);
  if (fromId === null) return null;
  const fromDescription = firstMatch(description, descriptionText);
  return fromDescription === null ? null : { ...fromId, ...fromDescription };
}

function firstMatch(patterns: readonly Pattern[] | null, text: string): Readonly<Record<string, string>> | null {
  if (patterns === null) return {};
  for (const pattern of patterns) {
    const captures = pattern.match(text);
    if (captures !== null) return captures;
  }
  return null;
}

interface Resolution {
  readonly credential: MatchInput;
  readonly captures: Readonly<Record<string, string>>;
  readonly fixed: { readonly issuer: string; readonly instance: string; readonly tokenUrl: string };
  readonly settings: Settings;
  readonly vaultTypes: ReadonlyMap<string, VaultNames>;
  readonly own: readonly OwnSecret[];
}

function resolveRule(rule: Rule, resolution: Resolution): ManagedTerms {
  const { clientId, description } = resolution.credential;
  const known = { ...resolution.captures, clientId, description, ...resolution.fixed };
  const name = rule.name === null ? slug(description) || clientId : substitute(rule.name, known);
  const names = { ...known, name };
  const destinations: Destination[] = [];
  const problems: string[] = [];
  const taken = new Set<string>();
  for (const deliver of rule.deliver) {
    const resolved = resolveDestination(deliver, names, resolution);
    if ('problem' in resolved) {
      problems.push(resolved.problem);
      continue;
    }
    const id = JSON.stringify([resolved.vault, resolved.entry]);
    if (taken.has(id))
      problems.push(`vault ${deliver.vault}: two destinations are one entry, ${JSON.stringify(resolved.entry)}`);
    else destinations.push(resolved);
    taken.add(id);
  }
  return { kind: 'managed', suspended: rule.suspend, name, policy: rule.policy, destinations, names, problems };
}

function resolveDestination(
  deliver: DeliverSettings,
  names: Readonly<Record<string, string>>,
  resolution: Resolution,
): Destination | { readonly problem: string } {
  const vault = resolution.settings.vaults.get(deliver.vault);
  const type = vault === undefined ? undefined : resolution.vaultTypes.get(vault.type);
  if (vault === undefined || type === undefined) return { problem: `vault ${deliver.vault}: its type is not known` };
  const name = substitute(deliver.name, names);
  const options = mapTexts(deliver.options, (text) => substitute(text, names)) as DeliverSettings['options'];
  const problem = entryNameProblem(name) ?? type.nameProblem(name, options, vault.options);
  if (problem !== null)
    return { problem: `vault ${deliver.vault} cannot hold an entry named ${JSON.stringify(name)}: ${problem}` };
  const entry = type.entryOf(name, options, vault.options);
  const lockOut = resolution.own
    .filter((each) => each.vault === deliver.vault && type.entryOf(each.entry, {}, vault.options) === entry)
    .map((each) => ownFormatProblem(each, deliver.format))
    .find((each) => each !== null);
  if (lockOut !== undefined) return { problem: `vault ${deliver.vault}, entry ${JSON.stringify(entry)}: ${lockOut}` };
  return { vault: deliver.vault, entry, options, format: deliver.format };
}

function configuredTokenUrl(settings: Settings, issuer: string): string {
  const options = settings.issuers.get(issuer)?.options;
  if (typeof options !== 'object' || options === null || !('tokenUrl' in options)) return '';
  return typeof options.tokenUrl === 'string' ? options.tokenUrl : '';
}

function filledIn(format: Format, names: Readonly<Record<string, string>>): Format {
  switch (format.kind) {
    case 'value':
      return format;
    case 'text':
      return { kind: 'text', template: substitute(format.template, names) };
    case 'fields':
      return {
        kind: 'fields',
        fields: Object.fromEntries(Object.entries(format.fields).map(([key, text]) => [key, substitute(text, names)])),
      };
  }
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, canonical(item)]);
}
