import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../domain/errors.ts';
import type { Backends } from './backends.ts';
import { didYouMean } from './did-you-mean.ts';
import { name } from './fields.ts';
import { checkOwnDeliveries, checkOwnSecrets } from './own-secrets.ts';
import { readOidc } from './oidc.ts';
import { readPolicies } from './policies.ts';
import { Report, TreeReport } from './report.ts';
import { readRules } from './rules.ts';
import { scheduleProblem, timezoneProblem } from './schedule.ts';
import { httpShape, settingsShape } from './schema.ts';
import { folderOf, readIssuers, readLedger, readVaults } from './sections.ts';
import { MODES } from './settings.ts';
import type { HttpSettings, Mode, Settings } from './settings.ts';
import { checkSharedDestinations } from './shared-destinations.ts';
import { substituteTree, systemCode } from './substitution.ts';
import { checkTokenUrls } from './token-url.ts';
import { readTokens } from './tokens.ts';
import { readWebhooks } from './webhooks.ts';
import { mergeNodes, plainValue } from './tree.ts';
import type { Node, Path } from './tree.ts';
import { isRecord, validateShape } from './validation.ts';
import { checkWindowRoom } from './window-room.ts';
import { parseYamlFile } from './yaml-file.ts';

/** What loading needs from outside. */
export interface LoadSources {
  /** @throws whatever the file system throws; only its `code` is told. */
  readonly readFile: (path: string) => Promise<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly backends: Backends;
}

/**
 * Reads, merges (later over earlier) and checks configuration files.
 * @param files paths; the first one's folder is where defaults that are paths start from.
 * @returns settings in which everything is checked: names, patterns, formats, times, places.
 * @throws ConfigError with every problem that was found, in the order of the files. No message holds what came out of a
 *   variable or a file. It throws nothing else.
 */
export async function loadSettings(files: readonly string[], sources: LoadSources): Promise<Settings> {
  const report = new Report(files);
  const root = await readTree(files, sources, report);
  report.throwIfAny();
  if (root === null) throw new ConfigError([noFile()]);
  const settings = readSettings(root, dirname(resolve(files[0] ?? '.')), sources, report);
  report.throwIfAny();
  return settings;
}

/**
 * One issuer's section as it is now, variables and files put in afresh, before any schema: for a secret that was changed
 * in its file. @throws ConfigError
 */
export async function readIssuerSection(
  files: readonly string[],
  name: string,
  sources: LoadSources,
): Promise<unknown> {
  const report = new Report(files);
  const root = await readTree(files, sources, report);
  report.throwIfAny();
  const tree = root === null ? null : plainValue(root);
  const issuers = isRecord(tree) ? tree['issuers'] : null;
  return isRecord(issuers) && Object.hasOwn(issuers, name) ? issuers[name] : null;
}

/**
 * What the files hold together as it is written, variables and files not put in, and unchecked: to be written anew.
 * @throws ConfigError where one cannot be read.
 */
export async function readWritten(
  files: readonly string[],
  sources: Pick<LoadSources, 'readFile'>,
): Promise<Readonly<Record<string, unknown>>> {
  const report = new Report(files);
  const root = await readMerged(files, sources, report);
  report.throwIfAny();
  const tree = root === null ? null : plainValue(root);
  return isRecord(tree) ? tree : {};
}

/** The merged tree of all files, variables and files put in. */
async function readTree(files: readonly string[], sources: LoadSources, report: Report): Promise<Node | null> {
  const merged = await readMerged(files, sources, report);
  return merged === null ? null : substituteTree(merged, sources, report);
}

/** The merged tree of all files, as it is written. */
export async function readMerged(
  files: readonly string[],
  sources: Pick<LoadSources, 'readFile'>,
  report: Report,
): Promise<Node | null> {
  const trees: Node[] = [];
  for (const file of files) {
    const bytes = await readConfigFile(file, sources, report);
    const tree = bytes === null ? null : parseYamlFile(file, bytes, report);
    if (tree !== null) trees.push(tree);
  }
  const [first, ...later] = trees;
  return first === undefined ? null : later.reduce(mergeNodes, first);
}

async function readConfigFile(
  file: string,
  sources: Pick<LoadSources, 'readFile'>,
  report: Report,
): Promise<Uint8Array | null> {
  try {
    return await sources.readFile(resolve(file));
  } catch (error) {
    const code = systemCode(error);
    const hint =
      code === 'ENOENT'
        ? 'there is no such file: name it with --config, or write one with rekeyd init'
        : `cannot be read (${code})`;
    report.general(file, '', hint);
    return null;
  }
}

function noFile() {
  return { file: null, line: null, column: null, key: '', message: 'no configuration file is named: use --config' };
}

/** The whole, less what is read part by part, so that all problems of all parts are told. */
const outline = {
  ...settingsShape,
  http: z.record(z.string(), z.unknown()).default({}),
  policies: z.record(name(), z.unknown()).default({}),
  credentials: z.array(z.unknown()).default([]),
};

function readSettings(root: Node, folder: string, sources: LoadSources, report: Report): Settings {
  const tree = new TreeReport(root, report);
  const value = plainValue(root);
  const raw = isRecord(value) ? value : {};
  const known = validateShape(outline, raw, [], tree);
  const { backends } = sources;
  checkSchedule(known.schedule, known.timezone, tree);
  const issuers = readIssuers(raw['issuers'], backends.issuers, tree);
  const vaults = readVaults(raw['vaults'], backends.vaults, folder, tree);
  checkOwnSecrets(issuers, vaults, keysOf(raw['vaults']), tree);
  const timezone = known.timezone === undefined || timezoneProblem(known.timezone) !== null ? 'UTC' : known.timezone;
  const rules = readRules(
    raw['credentials'],
    {
      instance: known.instance ?? '',
      issuerNames: keysOf(raw['issuers']),
      vaults,
      vaultNames: keysOf(raw['vaults']),
      policies: readPolicies(raw['policies'], timezone, tree),
      timezone,
    },
    tree,
  );
  checkSharedDestinations(rules, tree);
  checkOwnDeliveries(issuers, vaults, rules, tree);
  checkTokenUrls(rules, issuers, backends.issuers, tree);
  checkWindowRoom(rules, issuers, tree);
  return {
    instance: known.instance ?? '',
    mode: modeOf(sources.env, report) ?? known.mode ?? 'observe',
    schedule: known.schedule ?? '',
    timezone: known.timezone ?? '',
    resync: known.resync ?? 0,
    shutdownTimeout: known.shutdownTimeout ?? 0,
    ledger: readLedger(raw['ledger'], backends.ledgers, folder, tree),
    http: readHttp(raw['http'], folder, tree),
    metrics: known.metrics ?? { perCredential: 'auto' },
    webhooks: readWebhooks(known.webhooks ?? [], known.webhookHosts ?? [], backends.events ?? [], tree),
    limits: known.limits ?? NO_LIMITS,
    issuers,
    vaults: new Map([...vaults].map(([name, vault]) => [name, vault.settings])),
    rules: rules.map(({ rule }) => rule),
  };
}

/** Stands in for what is not valid, until the problems are thrown. */
const NO_LIMITS: Settings['limits'] = {
  concurrency: 0,
  rotationsPerHour: 0,
  maxLiveSecrets: 0,
  createsPerDay: 0,
  breaker: { failures: 0, cooldown: 0 },
};

function readHttp(written: unknown, folder: string, report: TreeReport): HttpSettings {
  const http = validateShape(httpShape, written, ['http'], report);
  const locate = (at: Path, path: string): string => resolve(folderOf(report, at, folder), path);
  return {
    host: http.host ?? '',
    port: http.port ?? 0,
    requestsPerSecond: http.requestsPerSecond ?? 0,
    trustProxy: http.trustProxy ?? [],
    health: http.health ?? null,
    socket: typeof http.socket === 'string' ? locate(['http', 'socket'], http.socket) : null,
    tokens: readTokens(http.tokens ?? [], ['http', 'tokens'], report),
    oidc: readOidc(http.oidc ?? [], locate, report),
  };
}

function checkSchedule(schedule: string | undefined, timezone: string | undefined, report: TreeReport): void {
  if (timezone === undefined) return;
  const wrong = timezoneProblem(timezone);
  if (wrong !== null) report.value(['timezone'], wrong);
  const problem = schedule === undefined ? null : scheduleProblem(schedule, wrong === null ? timezone : 'UTC');
  if (problem !== null) report.value(['schedule'], problem);
}

/** `REKEYD_MODE`, which goes before the configuration's `mode`; undefined where it is not set. */
function modeOf(env: LoadSources['env'], report: Report): Mode | undefined {
  const text = env['REKEYD_MODE'];
  if (text === undefined || text === '') return undefined;
  const mode = MODES.find((known) => known === text);
  if (mode === undefined)
    report.general(null, 'REKEYD_MODE', `must be one of ${MODES.join(', ')}${didYouMean(text, MODES)}`);
  return mode;
}

function keysOf(section: unknown): string[] {
  return isRecord(section) ? Object.keys(section) : [];
}
