import type { Command } from 'commander';
import type { Settings } from '../config/settings.ts';
import { safeMessage } from '../domain/errors.ts';
import type { RightReport } from '../domain/rights.ts';
import type { Issuer } from '../issuers/contract.ts';
import type { EntryRef } from '../vaults/contract.ts';
import { configFiles, withConfig } from './command.ts';
import type { Bench, ConfigOptions } from './command.ts';
import { EXIT } from './exit.ts';
import { printJson, say } from './io.ts';
import { table } from './table.ts';

interface CheckOptions extends ConfigOptions {
  readonly offline?: true;
  readonly json?: true;
}

interface CheckRow extends RightReport {
  readonly kind: 'issuer' | 'vault';
  readonly name: string;
}

/** As many entries of a vault are looked at as show what its rights are like; all of them would take a scan's time. */
const MOST_ENTRIES = 20;

/** `rekeyd check`: validates, and proves each right that can be proven without writing. */
export function addCheck(program: Command, bench: Bench): void {
  withConfig(program.command('check'))
    .description('validate the configuration, reach each issuer and vault and tell each right; writes no value')
    .option('--offline', 'only validate')
    .option('--json', 'print JSON')
    .action(bench.act((options: CheckOptions) => check(bench, options)));
}

async function check(bench: Bench, options: CheckOptions): Promise<number> {
  const { io, workshop } = bench;
  const files = configFiles(options, io);
  const settings = await workshop.loadSettings(files);
  say(
    io,
    `configuration ok: ${files.join(', ')} (instance ${settings.instance}, mode ${settings.mode}, issuers ${settings.issuers.size}, vaults ${settings.vaults.size}, rules ${settings.rules.length})`,
  );
  for (const { name } of settings.http.tokens.filter(({ isShort }) => isShort === true)) {
    say(
      io,
      `warning: http.tokens: the token named ${name} has fewer than 16 characters and might be guessed: make a longer one, as with openssl rand -hex 32`,
    );
  }
  const rows = options.offline === true ? [] : await checkAll(bench, settings);
  const ok = rows.every((row) => row.status !== 'missing');
  if (options.json === true) printJson(io, { ok, files, rights: rows });
  else if (options.offline !== true) {
    const cells = rows.map((row) => [`${row.kind} ${row.name}`, row.right, row.status, row.hint]);
    io.out(table(['WHERE', 'RIGHT', 'STATUS', 'WHAT TO DO'], cells));
  }
  return ok ? EXIT.done : EXIT.failed;
}

async function checkAll(bench: Bench, settings: Settings): Promise<CheckRow[]> {
  const refs = new Map<string, EntryRef[]>([...settings.vaults.keys()].map((vault) => [vault, []]));
  const rows: CheckRow[] = [];
  for (const name of settings.issuers.keys()) {
    const found = await reports(async () => {
      const issuer = await bench.workshop.openIssuer(settings, name);
      try {
        const rights = await issuer.rights();
        if (!rights.some((right) => right.right === 'reached' && right.status === 'missing')) {
          await gatherRefs(bench, settings, issuer, refs);
        }
        return rights;
      } finally {
        await issuer.close();
      }
    });
    rows.push(...found.map((right) => ({ kind: 'issuer' as const, name, ...right })));
  }
  for (const [name, entries] of refs) {
    const found = await reports(async () => {
      const { vault } = await bench.workshop.openVault(settings, name);
      try {
        return await vault.rights(entries);
      } finally {
        await vault.close();
      }
    });
    rows.push(...found.map((right) => ({ kind: 'vault' as const, name, ...right })));
  }
  return rows;
}

/** What the credentials of an issuer would be delivered to, a sample a vault. */
async function gatherRefs(
  bench: Bench,
  settings: Settings,
  issuer: Issuer,
  refs: ReadonlyMap<string, EntryRef[]>,
): Promise<void> {
  const termsOf = bench.workshop.matcher(settings);
  try {
    for (const credential of await issuer.listCredentials()) {
      const terms = termsOf(issuer.name, credential);
      if (terms.kind !== 'managed') continue;
      for (const { vault, entry, options } of terms.destinations) {
        const entries = refs.get(vault);
        if (entries !== undefined && entries.length < MOST_ENTRIES) entries.push({ entry, options });
      }
    }
  } catch (error) {
    say(bench.io, `vaults are checked without their entries, the list of ${issuer.name} failed: ${safeMessage(error)}`);
  }
}

/** A backend that cannot even be asked is one that is not reached. */
async function reports(ask: () => Promise<readonly RightReport[]>): Promise<readonly RightReport[]> {
  try {
    return await ask();
  } catch (error) {
    return [{ right: 'reached', status: 'missing', hint: safeMessage(error) }];
  }
}
