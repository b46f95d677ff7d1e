import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { VaultError, safeMessage } from '../domain/errors.ts';
import type { ConfigError } from '../domain/errors.ts';
import { SecretValue } from '../domain/secret-value.ts';
import type { ModuleVault, ModuleVaultContext, Vault, VaultContext, VaultType } from './contract.ts';
import { entryNameProblem } from './entry-name.ts';
import { completeVault, shapeProblem } from './module-shape.ts';
import { optionError } from './private-files.ts';
import { systemCode } from './system-error.ts';

const MAX_BYTES = 1_048_576;

const schema = z
  .strictObject({
    module: z.string().min(1).optional().describe('The file of an ES module that exports createVault.'),
    package: z.string().min(1).optional().describe('Instead of module: an npm package installed beside rekeyd.'),
    options: z.unknown().default({}).describe('Handed to createVault as it stands.'),
  })
  .refine(
    (options) => (options.module === undefined) !== (options.package === undefined),
    'needs either module (a file) or package (an npm package)',
  );

/** A vault that the user wrote: see docs/vaults/module.md. */
export const moduleVaultType = {
  type: 'module',
  schema,
  paths: ['module'],
  destination: {},
  maxBytes: MAX_BYTES,
  entryOf: (name) => name,
  nameProblem: entryNameProblem,
  create: openModuleVault,
} as const satisfies VaultType<typeof schema>;

/** @throws ConfigError that names the module, where it cannot be loaded or makes no vault. */
async function openModuleVault(options: z.output<typeof schema>, context: VaultContext): Promise<Vault> {
  const { module: path, package: name } = options;
  const module = path ?? name ?? '';
  const fail = (message: string): ConfigError =>
    optionError(
      { vault: context.name, option: path === undefined ? 'package' : 'module' },
      `module '${module}': ${message}`,
    );
  const createVault = exported(await load(path === undefined ? module : fileUrl(module, fail), fail));
  if (createVault === null) throw fail("it exports no function 'createVault'");
  let made: unknown;
  try {
    made = await createVault(options.options, moduleContext(context));
  } catch (error) {
    throw fail(`createVault failed: ${safeMessage(error)}`);
  }
  const problem = shapeProblem(made);
  if (problem !== null) throw fail(problem);
  return completeVault(made as ModuleVault, module, context);
}

function fileUrl(module: string, fail: (message: string) => ConfigError): string {
  if (!isAbsolute(module)) throw fail('its path is not absolute');
  return pathToFileURL(module).href;
}

async function load(specifier: string, fail: (message: string) => ConfigError): Promise<unknown> {
  try {
    return await import(specifier);
  } catch (error) {
    throw fail(`it cannot be loaded: ${loaderMessage(error)}`);
  }
}

/** Node's own words name files only. What the module's code throws may quote anything, so it is not repeated. */
function loaderMessage(error: unknown): string {
  const code = systemCode(error);
  if (error instanceof Error && code?.startsWith('ERR_') === true) return error.message.split('\n')[0] ?? code;
  return `${safeMessage(error)}; to see where, run node on it`;
}

function exported(loaded: unknown): ((options: unknown, context: ModuleVaultContext) => unknown) | null {
  const createVault =
    typeof loaded === 'object' && loaded !== null && 'createVault' in loaded ? loaded.createVault : null;
  return typeof createVault === 'function' ? (createVault as ReturnType<typeof exported>) : null;
}

/** What a module is handed, so that it needs no import of ours but types. */
function moduleContext(context: VaultContext): ModuleVaultContext {
  const { name, timeout, readBack, log, clock, random, ids, ticker } = context;
  return {
    ...{ name, timeout, readBack, log, clock, random, ids, ticker },
    secret: (text) => SecretValue.of(text),
    error: (fault, message, entry) =>
      new VaultError(fault, `Vault '${name}'${entry === undefined ? '' : `, entry '${entry}'`}: ${message}`, {
        vault: name,
        entry: entry ?? null,
      }),
  };
}
