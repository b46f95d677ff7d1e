import { slug } from '../config/slug.ts';
import { printable } from '../telemetry/printable.ts';
import type { ListedCredential } from '../issuers/contract.ts';
import type { EntryNaming } from './entry-naming.ts';

export interface InitialConfig {
  readonly instance: string;
  /** The section `issuers:` as YAML. */
  readonly issuers: string;
  /** The section `vaults:` as YAML. */
  readonly vaults: string;
  readonly accounts: ReadonlyMap<string, Account>;
  /** Of the vault that everything is delivered to. */
  readonly naming: EntryNaming;
}

/** What an issuer lists. */
export interface Account {
  readonly credentials: readonly ListedCredential[];
  /** The client that rekeyd itself logs in as; null: not known. Its static secret cannot follow a rotation. */
  readonly ownClientId: string | null;
}

/** What `init` writes where no vault is known yet. */
export const DEFAULT_VAULTS = [
  'vaults:',
  '  local: { type: file, path: ./var/vault, key: ./var/vault.key } # age-encrypted; a missing key is made',
  '',
].join('\n');

/** `App (env)`: the commonest way to name clients, as the captures of one rule. */
const APP_ENV = /^[^(){}*?]+ \([^(){}*?]+\)$/;

/**
 * A configuration for what an account holds: one rule where all descriptions read `App (env)`, else one a credential. It
 * starts in mode `observe`.
 */
export function initialConfig(input: InitialConfig): string {
  const rules = [...input.accounts].flatMap(([issuer, account]) => rulesFor(issuer, account, input.naming));
  return [
    '# Written by rekeyd init from what the account held. Every setting: docs/configuration.md.',
    `instance: ${JSON.stringify(input.instance)} # marks what this installation makes; unique in the account`,
    '# observe changes nothing anywhere. When rekeyd plan says what you want: no-delete, then active.',
    'mode: observe',
    '',
    input.issuers.trimEnd(),
    '',
    input.vaults.trimEnd(),
    '',
    '# The defaults, to be changed where they do not fit.',
    'policies:',
    '  default:',
    '    lifetime: 90d # of a new secret',
    '    renewBefore: 30d # of its end',
    '    grace: 14d # from delivered everywhere to the deletion of the old one',
    '    initial: adopt # what the vault holds already is left until its renewal',
    '',
    ...(rules.length === 0 ? ['credentials: [] # the account has none yet'] : ['credentials:', ...rules]),
    '',
  ].join('\n');
}

function rulesFor(issuer: string, account: Account, naming: EntryNaming): string[] {
  const own = account.credentials.filter((one) => one.clientId === account.ownClientId);
  const others = account.credentials.filter((one) => one.clientId !== account.ownClientId);
  return [
    ...own.flatMap((one) => [
      `  - issuer: ${JSON.stringify(issuer)} # ${comment(one)}`,
      `    match: { clientId: ${yamlText(literal(one.clientId))} }`,
      '    suspend: true # rekeyd itself logs in with it: watched, not changed',
    ]),
    ...managedRules(issuer, others, naming),
  ];
}

function managedRules(issuer: string, credentials: readonly ListedCredential[], naming: EntryNaming): string[] {
  if (credentials.length === 0) return [];
  const names = uniqueNames(credentials);
  const heading = `  # ${printable(issuer)}: ${credentials.length === 1 ? '1 credential' : `${credentials.length} credentials`}`;
  const allNamed = credentials.every((one) => APP_ENV.test(one.description) && naming.takes(defaultName(one)));
  const distinct = new Set(credentials.map((one) => slug(one.description))).size === credentials.length;
  if (allNamed && distinct && credentials.length > 1) {
    return [
      `${heading}, all described as App (env):`,
      ...credentials.slice(0, 20).map((one) => `  #   ${comment(one)}`),
      ...(credentials.length > 20 ? [`  #   and ${credentials.length - 20} more`] : []),
      `  - issuer: ${JSON.stringify(issuer)}`,
      '    match: { description: "{app} ({env})" }',
      '    policy: default',
      '    deliver:',
      `      - ${destination(naming, '{name}')} # {name}: the description as a slug`,
    ];
  }
  return credentials.flatMap((one, index) => [
    ...(index === 0 ? [heading] : []),
    `  - issuer: ${JSON.stringify(issuer)} # ${comment(one)}`,
    `    match: { clientId: ${yamlText(literal(one.clientId))} }`,
    `    name: ${yamlText(names[index] ?? '')}`,
    '    policy: default',
    '    deliver:',
    `      - ${destination(naming, entryName(one, names[index] ?? '', naming))}`,
  ]);
}

function comment(credential: ListedCredential): string {
  return `${printable(credential.clientId)}  ${printable(credential.description)}`.trimEnd();
}

/** Names that are slugs, one a credential, none twice. */
function uniqueNames(credentials: readonly ListedCredential[]): string[] {
  const taken = new Set<string>();
  return credentials.map((one) => {
    const base = (slug(one.description) || slug(one.clientId) || 'credential').slice(0, 60).replace(/-$/, '');
    let name = base;
    for (let count = 2; taken.has(name); count += 1) name = `${base}-${count}`;
    taken.add(name);
    return name;
  });
}

/** What `{name}` stands for in a rule without a name. */
function defaultName({ clientId, description }: ListedCredential): string {
  return slug(description) || clientId;
}

/** A pattern that may match several asks for a name that differs between them, where the vault can have it. */
function entryName({ clientId }: ListedCredential, name: string, naming: EntryNaming): string {
  return literal(clientId).includes('?') && naming.takes(clientId) ? '{clientId}' : name;
}

function destination({ vault, prefix, namespace }: EntryNaming, name: string): string {
  const where = namespace === null ? '' : `, namespace: ${JSON.stringify(namespace)}`;
  return `{ vault: ${JSON.stringify(vault)}, name: ${yamlText(prefix + name)}${where} }`;
}

/** A clientId as a pattern: a `?` for what would be a glob or the start of a capture. */
function literal(clientId: string): string {
  return clientId.replace(/[*{]/g, '?');
}

/** A double-quoted YAML scalar in which nothing is replaced: `${` is what the loader would take for a variable. */
function yamlText(text: string): string {
  return JSON.stringify(text.replaceAll('${', '$${')).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
