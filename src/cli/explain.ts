import type { Command } from 'commander';
import { Refusal } from '../daemon/api.ts';
import type { Daemon, ExplainView } from '../daemon/api.ts';
import { pick, readings } from './client-argument.ts';
import type { NamedCredential } from './client-argument.ts';
import { settingsOf, withConfig } from './command.ts';
import type { Bench, ConfigOptions } from './command.ts';
import { EXIT, WorkError } from './exit.ts';
import { printJson } from './io.ts';
import { table } from './table.ts';

interface ExplainOptions extends ConfigOptions {
  readonly json?: true;
}

/** `rekeyd explain`: every check in order. */
export function addExplain(program: Command, bench: Bench): void {
  withConfig(program.command('explain'))
    .argument('<issuer/client>', 'clientId, or name where it is unambiguous')
    .description('tell what each check saw, what it decided and what would unblock it')
    .option('--json', 'print JSON')
    .action(bench.act((client: string, options: ExplainOptions) => explain(bench, client, options)));
}

async function explain(bench: Bench, text: string, options: ExplainOptions): Promise<number> {
  const settings = await settingsOf(bench, options);
  const { daemon, close } = await bench.workshop.openDaemon(settings, { readOnly: true });
  try {
    const view = await explainNamed(daemon, text, settings.issuers);
    if (options.json === true) printJson(bench.io, view);
    else bench.io.out(explainText(view));
    return EXIT.done;
  } finally {
    await close();
  }
}

async function explainNamed(daemon: Daemon, text: string, issuers: ReadonlyMap<string, unknown>): Promise<ExplainView> {
  const only = issuers.size === 1 ? [...issuers.keys()][0] : undefined;
  for (const { issuer = only, client } of readings(text).map((reading) => ({
    ...reading,
    issuer: reading.issuer ?? only,
  }))) {
    if (issuer === undefined || !issuers.has(issuer)) continue;
    const view = await daemon.explain({ issuer, clientId: client }).catch(absent);
    if (view !== null) return view;
  }
  // By name: what the ledger knows, else what a look at everything finds.
  const key = pick(text, await known(daemon)) ?? pick(text, (await daemon.plan()).items);
  if (key === null) throw new WorkError(`no issuer lists a credential '${text}'; 'rekeyd plan' lists all of them`);
  return daemon.explain(key);
}

async function known(daemon: Daemon): Promise<NamedCredential[]> {
  const all: NamedCredential[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Daemon['credentials']>> = await daemon.credentials({}, 500, cursor);
    for (const { issuer, clientId, name } of page.items) all.push({ issuer, clientId, name });
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
}

function absent(error: unknown): null {
  if (error instanceof Refusal && error.kind === 'not-found') return null;
  throw error;
}

/** The checks as a table, and the decision. */
export function explainText(view: ExplainView): string {
  const rows = view.checks.map((check, index) => [
    String(index + 1),
    check.check,
    check.saw,
    check.decided,
    check.unblock,
  ]);
  return [
    table(
      ['CREDENTIAL', 'NAME', 'ACTION', 'REASON'],
      [[`${view.issuer}/${view.clientId}`, view.name, view.action, view.reason]],
    ),
    '\n',
    table(['#', 'CHECK', 'SAW', 'DECIDED', 'WHAT WOULD UNBLOCK IT'], rows),
  ].join('');
}
