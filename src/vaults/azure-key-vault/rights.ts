import type { RightReport } from '../../domain/rights.ts';
import { advice, OPERATIONS } from './failure.ts';
import type { Failure } from './failure.ts';
import type { Secrets } from './secrets.ts';

/** Looked for where there is no destination yet: nobody has it, and that is an answer too. */
const NOBODYS = 'rekeyd-check';
const AT_ONCE = 8;

/** A role may be given for single secrets, so reading is tried for each. Writing shows only by writing. */
export async function rightsOf(
  secrets: Secrets,
  url: string,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly RightReport[]> {
  const wanted = [...new Set(names)];
  if (wanted.length === 0) wanted.push(NOBODYS);
  const get = await each(wanted, (name) => secrets.obstacle('get', name, signal));
  const unreached = get.find(({ failure }) => failure !== null && failure.kind !== 'right');
  if (unreached?.failure != null) {
    return [{ right: 'reached', status: 'missing', hint: told(unreached.failure, 'get', url) }];
  }
  const [first = NOBODYS] = wanted;
  const metadata =
    (await secrets.obstacle('getDeleted', first, signal)) ?? (await secrets.obstacle('list', first, signal));
  const denied = get.flatMap(({ name, failure }) => (failure === null ? [] : [{ name, failure }]));
  const where = denied.map(({ name }) => name).join(', ');
  return [
    { right: 'reached', status: 'ok', hint: '' },
    denied[0] === undefined
      ? proven('get')
      : { right: rightOf('get'), status: 'missing', hint: `${told(denied[0].failure, 'get', url)}, for ${where}` },
    metadata === null
      ? proven('list')
      : { right: rightOf('list'), status: 'missing', hint: told(metadata, 'list', url) },
    unproven('set', url),
    unproven('update', url),
    unproven('recover', url),
  ];
}

async function each(
  names: readonly string[],
  look: (name: string) => Promise<Failure | null>,
): Promise<{ readonly name: string; readonly failure: Failure | null }[]> {
  const found: { name: string; failure: Failure | null }[] = [];
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const some = names.slice(from, from + AT_ONCE);
    found.push(...(await Promise.all(some.map(async (name) => ({ name, failure: await look(name) })))));
  }
  return found;
}

function rightOf(operation: keyof typeof OPERATIONS): string {
  return `secrets/${OPERATIONS[operation].action}`;
}

function proven(operation: keyof typeof OPERATIONS): RightReport {
  return { right: rightOf(operation), status: 'ok', hint: '' };
}

function unproven(operation: keyof typeof OPERATIONS, url: string): RightReport {
  const hint = `cannot be told without writing; if it is missing: ${advice({ kind: 'right', detail: '' }, OPERATIONS[operation], url)}`;
  return { right: rightOf(operation), status: 'unknown', hint };
}

function told(failure: Failure, operation: keyof typeof OPERATIONS, url: string): string {
  const brackets = failure.detail === '' ? '' : ` (${failure.detail})`;
  return `${advice(failure, OPERATIONS[operation], url)}${brackets}`;
}
