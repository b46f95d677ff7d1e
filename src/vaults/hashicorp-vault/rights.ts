import { VaultError } from '../../domain/errors.ts';
import type { RightReport } from '../../domain/rights.ts';
import type { Client } from './client.ts';
import type { KvEngine } from './engine.ts';
import type { Attempt } from './failure.ts';
import { dataOf } from './wire.ts';

/** What a policy must grant of each entry. */
const NEEDED = [
  ['data', 'read'],
  ['data', 'create'],
  ['data', 'update'],
  ['metadata', 'read'],
  ['metadata', 'create'],
  ['metadata', 'patch'],
] as const;

/** Paths in one question. */
const BATCH = 100;
/** How many paths a hint names. */
const NAMED = 3;

const CAPABILITIES: Attempt = {
  entry: null,
  doing: 'asking what we may do',
  right: 'update on "sys/capabilities-self"',
};

/**
 * What we may do with these entries, without writing any: the server tells of each path what our token may do there.
 * @throws the signal's reason; what cannot be found out is `unknown`.
 */
export async function kvRights(
  client: Client,
  engine: KvEngine,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly RightReport[]> {
  const login = await tried(() => client.logIn(signal));
  if (login?.fault === 'denied') return [ok('reached'), missing('log in', login.message)];
  if (login !== null) return [missing('reached', login.message)];
  const mount = await tried(() => engine.checkMount(signal));
  if (mount !== null) return [ok('reached'), ok('log in'), missing('KV version 2 at the mount', mount.message)];
  const reports = [ok('reached'), ok('log in'), ok('KV version 2 at the mount')];
  const granted = new Map<string, readonly string[]>();
  const asked = await tried(async () => {
    const paths = names.flatMap((name) => [engine.policyPath('data', name), engine.policyPath('metadata', name)]);
    for (let start = 0; start < paths.length; start += BATCH) {
      for (const grant of await capabilities(client, paths.slice(start, start + BATCH), signal)) granted.set(...grant);
    }
  });
  return [...reports, ...NEEDED.map(([part, capability]) => report(engine, names, part, capability, granted, asked))];
}

function report(
  engine: KvEngine,
  names: readonly string[],
  part: 'data' | 'metadata',
  capability: string,
  granted: ReadonlyMap<string, readonly string[]>,
  failure: VaultError | null,
): RightReport {
  const right = `${capability} on ${part}`;
  if (failure !== null) return { right, status: 'unknown', hint: failure.message };
  const lacking = names
    .map((name) => engine.policyPath(part, name))
    .filter((path) => !['root', capability].some((each) => granted.get(path)?.includes(each) === true));
  if (lacking.length === 0) return ok(right);
  const more = lacking.length > NAMED ? ` and ${lacking.length - NAMED} more` : '';
  const paths = lacking.slice(0, NAMED).map((path) => `"${path}"`);
  return missing(right, `the policy must grant ${capability} on ${paths.join(', ')}${more}`);
}

async function capabilities(
  client: Client,
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<[string, readonly string[]][]> {
  const body = JSON.stringify({ paths });
  const call = { ...CAPABILITIES, method: 'POST', path: '/v1/sys/capabilities-self', body } as const;
  const data = dataOf((await client.must(call, signal)).body);
  if (data === null) throw client.failures.malformed(CAPABILITIES, 'capabilities');
  return paths.map((path) => {
    const list = data[path];
    return [path, Array.isArray(list) ? list.filter((each) => typeof each === 'string') : []];
  });
}

async function tried(work: () => Promise<void>): Promise<VaultError | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof VaultError) return error;
    throw error;
  }
}

function ok(right: string): RightReport {
  return { right, status: 'ok', hint: '' };
}

function missing(right: string, hint: string): RightReport {
  return { right, status: 'missing', hint };
}
