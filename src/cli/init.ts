import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { isMap, parseDocument, stringify } from 'yaml';
import { configFiles, DEFAULT_CONFIG, withConfig } from './command.ts';
import type { Bench, ConfigOptions } from './command.ts';
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
  readonly instance: string;
  readonly issuers: string;
  readonly vaults: string;
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
  const sections = { ...found, ...(options.instance === undefined ? {} : { instance: options.instance }) };
  const accounts = await listAccounts(bench, sections, found.files);
  const text = initialConfig({ ...sections, accounts });
  if (options.output === undefined) io.out(text);
  else await writeNew(options.output, text);
  const count = [...accounts.values()].reduce((sum, { credentials }) => sum + credentials.length, 0);
  say(
    io,
    `${count === 1 ? '1 credential' : `${count} credentials`} found. Read the rules, then: rekeyd check${options.output === undefined ? '' : ` -c ${options.output}`}, rekeyd plan. The configuration starts in mode observe, which changes nothing.`,
  );
  return EXIT.done;
}

async function existing(
  bench: Bench,
  options: ConfigOptions,
): Promise<Sections & { readonly files: readonly string[] }> {
  const named = options.config !== undefined || (bench.io.env['REKEYD_CONFIG'] ?? '') !== '';
  const files = configFiles(options, bench.io);
  let sections: Sections = { instance: 'prod', issuers: '', vaults: DEFAULT_VAULTS };
  let read = 0;
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (!named) return null;
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
      throw new UsageError(`the configuration file ${file} cannot be read (${code})`);
    });
    if (text === null) continue;
    read += 1;
    const document = parseDocument(text);
    const instance = document.get('instance');
    sections = {
      instance: typeof instance === 'string' && !instance.includes('${') ? instance : sections.instance,
      issuers: section(document, 'issuers') ?? sections.issuers,
      vaults: section(document, 'vaults') ?? sections.vaults,
    };
  }
  if (read > 0 && sections.issuers !== '') return { ...sections, files };
  return { ...sections, issuers: issuersFromEnvironment(bench), files: [] };
}

/** A top-level section as YAML of its own, without any replacement. */
function section(document: ReturnType<typeof parseDocument>, key: string): string | null {
  const node: unknown = document.get(key, true);
  if (!isMap(node) || node.items.length === 0) return null;
  return stringify({ [key]: node.toJS(document) as unknown }, { lineWidth: 0 });
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

async function listAccounts(
  bench: Bench,
  sections: Sections,
  files: readonly string[],
): Promise<ReadonlyMap<string, Account>> {
  const { workshop } = bench;
  const settings = files.length > 0 ? await workshop.loadSettings(files) : await loadText(bench, sections);
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

/** The loader reads files, so that every message names one: the text is put into one for the moment. It holds no secret. */
async function loadText(bench: Bench, sections: Sections): ReturnType<Bench['workshop']['loadSettings']> {
  const folder = await mkdtemp(join(tmpdir(), 'rekeyd-init-'));
  try {
    const file = join(folder, 'environment.yaml');
    await writeFile(file, `instance: ${sections.instance}\n${sections.issuers}`);
    return await bench.workshop.loadSettings([file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
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
