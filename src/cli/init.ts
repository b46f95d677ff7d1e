import { access, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { readWritten } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { configFiles, DEFAULT_CONFIG, withConfig } from './command.ts';
import type { Bench, ConfigOptions } from './command.ts';
import { entryNaming } from './entry-naming.ts';
import { EXIT, UsageError, WorkError } from './exit.ts';
import { DEFAULT_VAULTS, initialConfig } from './initial-config.ts';
import type { Account } from './initial-config.ts';
import { say } from './io.ts';

interface InitOptions extends ConfigOptions {
  readonly output?: string;
  readonly instance?: string;
}

/** The parts of a configuration that `init` takes over as they are written, references to secrets included. */
interface Sections {
  /** The files that they come from; none: there was no configuration. */
  readonly files: readonly string[];
  readonly instance: string;
  readonly issuers: string;
  readonly vaults: string;
  /** What the files lack of it: with that they can be loaded. */
  readonly added: string;
}

/** `rekeyd init`: lists the account and writes a configuration for what it found. */
export function addInit(program: Command, bench: Bench): void {
  withConfig(program.command('init'))
    .description('list the account and write a commented configuration with a rule for what was found')
    .option('-o, --output <file>', 'write to this file, which must not exist yet (default: stdout)')
    .option('--instance <name>', 'the name of this installation (default: that of the configuration, else prod)')
    .addHelpText(
      'after',
      '\nThe issuers are those of the configuration, if there is one; else $DATA8_BASE_URL, $DATA8_CLIENT_ID and\n$DATA8_CLIENT_SECRET (and, where they differ from the defaults, $DATA8_TOKEN_URL and $DATA8_SCOPE) name one.',
    )
    .action(bench.act((options: InitOptions) => init(bench, options)));
}

async function init(bench: Bench, options: InitOptions): Promise<number> {
  const { io } = bench;
  const found = await existing(bench, options);
  const settings = await load(bench, found);
  const accounts = await listAccounts(bench, settings);
  const [vault = 'local', section] = [...settings.vaults][0] ?? [];
  const type = section === undefined ? undefined : bench.workshop.vaultTypes.get(section.type);
  const naming = entryNaming(vault, type ?? null, section?.options);
  const text = initialConfig({ ...found, instance: options.instance ?? found.instance, accounts, naming });
  if (options.output === undefined) io.out(text);
  else await writeNew(options.output, text);
  const count = [...accounts.values()].reduce((sum, { credentials }) => sum + credentials.length, 0);
  say(
    io,
    `${count === 1 ? '1 credential' : `${count} credentials`} found. Read the rules, then: rekeyd check${options.output === undefined ? '' : ` -c ${options.output}`}, rekeyd plan. The configuration starts in mode observe, which changes nothing.`,
  );
  return EXIT.done;
}

async function existing(bench: Bench, options: ConfigOptions): Promise<Sections> {
  const named = options.config !== undefined || (bench.io.env['REKEYD_CONFIG'] ?? '') !== '';
  const wanted = configFiles(options, bench.io);
  const files = named || (await isThere(DEFAULT_CONFIG)) ? wanted : [];
  const written = await readWritten(files, { readFile });
  const known = { issuers: section(written, 'issuers'), vaults: section(written, 'vaults') };
  const issuers = known.issuers ?? issuersFromEnvironment(bench);
  const vaults = known.vaults ?? DEFAULT_VAULTS;
  const { instance } = written;
  const added = [
    instance === undefined ? 'instance: prod\n' : '',
    known.issuers === null ? issuers : '',
    known.vaults === null ? vaults : '',
  ].join('');
  return { files, instance: typeof instance === 'string' ? instance : 'prod', issuers, vaults, added };
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** A top-level section as YAML of its own, without any replacement; null: there is nothing in it. */
function section(written: Readonly<Record<string, unknown>>, key: string): string | null {
  const value = written[key];
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return null;
  return stringify({ [key]: value }, { lineWidth: 0 });
}

function issuersFromEnvironment(bench: Bench): string {
  const { env } = bench.io;
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  const missing = ['DATA8_BASE_URL', 'DATA8_CLIENT_ID', 'DATA8_CLIENT_SECRET'].filter((name) => !isSet(name));
  if (missing.length > 0) {
    throw new UsageError(
      `no issuer is known: there is no ${DEFAULT_CONFIG} with one, and ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not set`,
    );
  }
  return [
    'issuers:',
    '  data8:',
    '    type: data8',
    '    baseUrl: "${DATA8_BASE_URL}"',
    ...(isSet('DATA8_TOKEN_URL') ? ['    tokenUrl: "${DATA8_TOKEN_URL}"'] : []),
    ...(isSet('DATA8_SCOPE') ? ['    scope: "${DATA8_SCOPE}"'] : []),
    '    clientId: "${DATA8_CLIENT_ID}"',
    '    clientSecret: "${DATA8_CLIENT_SECRET}" # or from a file: "${file:/run/secrets/data8}"',
    '',
  ].join('\n');
}

async function listAccounts({ workshop }: Bench, settings: Settings): Promise<ReadonlyMap<string, Account>> {
  const accounts = new Map<string, Account>();
  for (const [name, { options }] of settings.issuers) {
    const issuer = await workshop.openIssuer(settings, name);
    try {
      accounts.set(name, { credentials: await issuer.listCredentials(), ownClientId: ownClientId(options) });
    } finally {
      await issuer.close();
    }
  }
  return accounts;
}

function ownClientId(options: unknown): string | null {
  if (typeof options !== 'object' || options === null || !('clientId' in options)) return null;
  return typeof options.clientId === 'string' ? options.clientId : null;
}

/**
 * Loads what was found. The loader reads files, so that every message names one: what they lack is put into one for the
 * moment. It holds no secret.
 */
async function load({ workshop }: Bench, { files, added }: Sections): Promise<Settings> {
  if (added === '') return workshop.loadSettings(files);
  const folder = await mkdtemp(join(tmpdir(), 'rekeyd-init-'));
  try {
    const file = join(folder, 'added.yaml');
    await writeFile(file, added);
    return await workshop.loadSettings([...files, file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(file, 'wx', 0o644);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unwritable';
    if (code === 'EEXIST') throw new WorkError(`${file} exists already: it is not overwritten, give another name`);
    throw new WorkError(`${file} cannot be written (${code})`);
  }
}
