import { VaultError } from '../domain/errors.ts';
import { SecretValue } from '../domain/secret-value.ts';
import type { EntryContent, EntryDescription, EntryRef, ModuleVault, Vault, VaultContext } from './contract.ts';

const METHODS = ['describe', 'read', 'deliver'] as const;
const OPTIONAL_METHODS = ['restoreMark', 'rights', 'close'] as const;
const CAPABILITIES = ['compareAndSet', 'readable', 'map'] as const;

/** What is wrong with what a module's createVault returned; null where it is a vault. */
export function shapeProblem(made: unknown): string | null {
  if (typeof made !== 'object' || made === null) return 'createVault returned no object';
  const vault = made as Readonly<Record<string, unknown>>;
  if (typeof vault['identity'] !== 'string' || vault['identity'] === '') {
    return "the vault has no 'identity': a text that names the store itself, such as its URL";
  }
  for (const method of METHODS) {
    if (typeof vault[method] !== 'function') return `the vault has no method '${method}'`;
  }
  for (const method of OPTIONAL_METHODS) {
    if (vault[method] !== undefined && typeof vault[method] !== 'function') return `'${method}' is not a method`;
  }
  const readBack = vault['readBack'];
  if (readBack !== undefined && !(typeof readBack === 'number' && readBack >= 0)) {
    return "'readBack' is not a number of milliseconds";
  }
  return capabilitiesProblem(vault['capabilities']);
}

function capabilitiesProblem(capabilities: unknown): string | null {
  if (capabilities === undefined) return null;
  if (typeof capabilities !== 'object' || capabilities === null) return "'capabilities' is not an object";
  for (const [key, value] of Object.entries(capabilities)) {
    if (!CAPABILITIES.some((known) => known === key)) return `'capabilities.${key}' is not known`;
    if (typeof value !== 'boolean') return `'capabilities.${key}' is not true or false`;
  }
  return null;
}

/** A whole vault of what a module made: defaults filled in, every answer checked before the core relies on it. */
export function completeVault(made: ModuleVault, module: string, context: VaultContext): Vault {
  const { name } = context;
  const check = (entry: string, problem: string | null): void => {
    if (problem === null) return;
    const message = `Vault '${name}', entry '${entry}': module '${module}': ${problem}.`;
    throw new VaultError('malformed', message, { vault: name, entry });
  };
  const read: Vault['read'] = async (ref, signal) => {
    signal?.throwIfAborted();
    const answer: unknown = await made.read(ref, signal);
    check(ref.entry, descriptionProblem('read', answer) ?? payloadProblem(answer));
    return answer as EntryContent;
  };
  const deliver: Vault['deliver'] = async (ref, payload, mark, expected, signal) => {
    signal?.throwIfAborted();
    const answer: unknown = await made.deliver(ref, payload, mark, expected, signal);
    check(ref.entry, versionProblem('deliver', answer));
    return answer as { version: string };
  };
  return {
    name,
    type: 'module',
    identity: made.identity,
    capabilities: { compareAndSet: false, readable: true, map: false, ...made.capabilities },
    readBack: made.readBack ?? context.readBack,
    read,
    deliver,
    describe: async (ref, options, signal) => {
      signal?.throwIfAborted();
      const answer: unknown = await made.describe(ref, options, signal);
      const unproven = isObject(answer) && answer['binding'] === 'unproven' && options?.prove === true;
      const problem = unproven ? "describe answered 'unproven' although it was asked to prove" : null;
      check(ref.entry, descriptionProblem('describe', answer) ?? problem);
      return answer as EntryDescription;
    },
    restoreMark: async (ref, mark, expected, signal) => {
      signal?.throwIfAborted();
      if (made.restoreMark !== undefined) {
        const answer: unknown = await made.restoreMark(ref, mark, expected, signal);
        check(ref.entry, versionProblem('restoreMark', answer));
        return answer as { version: string };
      }
      const found = await read(ref, signal);
      if (found.state === 'absent' || found.version !== expected) throw conflict(context, ref);
      if (found.payload === null) throw nothingToMark(context, ref);
      return deliver(ref, found.payload, mark, expected, signal);
    },
    rights: async (refs, signal) =>
      (await made.rights?.(refs, signal)) ?? [
        { right: 'reached', status: 'unknown', hint: `module '${module}' has no method 'rights'` },
      ],
    close: async () => made.close?.(),
  };
}

function conflict(context: VaultContext, ref: EntryRef): VaultError {
  const message = `Vault '${context.name}', entry '${ref.entry}': somebody else wrote it since it was read.`;
  return new VaultError('conflict', message, { vault: context.name, entry: ref.entry });
}

function nothingToMark(context: VaultContext, ref: EntryRef): VaultError {
  const message = `Vault '${context.name}', entry '${ref.entry}': there is no value to mark.`;
  return new VaultError('malformed', message, { vault: context.name, entry: ref.entry });
}

function versionProblem(method: string, answer: unknown): string | null {
  const version = isObject(answer) ? answer['version'] : undefined;
  return typeof version === 'string' && version !== '' ? null : `${method} answered no 'version'`;
}

function descriptionProblem(method: string, answer: unknown): string | null {
  if (!isObject(answer)) return `${method} answered no object`;
  if (answer['state'] === 'absent') return null;
  if (answer['state'] !== 'present') return `${method} answered a 'state' that is neither absent nor present`;
  if (!['bound', 'broken', 'unproven'].includes(String(answer['binding']))) {
    return `${method} answered a 'binding' that is none of bound, broken, unproven`;
  }
  const { revision } = answer;
  if (revision !== undefined && typeof revision !== 'string') return `${method} answered a 'revision' that is no text`;
  return versionProblem(method, answer) ?? markProblem(method, answer['mark']);
}

function markProblem(method: string, mark: unknown): string | null {
  if (mark === null) return null;
  if (!isObject(mark)) return `${method} answered a 'mark' that is neither null nor an object`;
  for (const key of ['instance', 'issuer', 'credential', 'secretId']) {
    if (typeof mark[key] !== 'string') return `${method} answered a mark whose '${key}' is no text`;
  }
  for (const key of ['generation', 'deliveredAt']) {
    if (!Number.isSafeInteger(mark[key])) return `${method} answered a mark whose '${key}' is no whole number`;
  }
  return null;
}

function payloadProblem(answer: unknown): string | null {
  if (!isObject(answer) || answer['state'] === 'absent' || answer['payload'] === null) return null;
  const payload = answer['payload'];
  if (!isObject(payload)) return "read answered no 'payload'; null stands for none";
  if (payload['form'] !== 'fields' && payload['form'] !== 'opaque') {
    return "read answered a payload whose 'form' is neither fields nor opaque";
  }
  // A bare text would be printed by whatever prints its holder.
  if (!(payload['content'] instanceof SecretValue)) {
    return "read answered a payload whose 'content' was not made with context.secret()";
  }
  return null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
