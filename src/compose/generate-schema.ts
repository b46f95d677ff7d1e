import { readFile, writeFile } from 'node:fs/promises';
import { configJsonSchema } from '../config/json-schema.ts';
import { keyTables, TABLES_END, TABLES_START } from '../config/key-table.ts';
import { issuerTypes } from '../issuers/registry.ts';
import { ledgerTypes } from '../ledger/registry.ts';
import { vaultTypes } from '../vaults/registry.ts';

/** A file that is made from others, wholly or in part, and what should be in it. */
export interface Generated {
  readonly file: URL;
  readonly expected: string;
  readonly actual: string;
}

/** What the chart brings along, by its source: Helm packs what is below the chart's folder alone, and follows no link out of it. */
const CHART_FILES = {
  'config/prometheus/alerts.yaml': 'helm/rekeyd/files/alerts.yaml',
  'config/grafana/rekeyd.json': 'helm/rekeyd/files/dashboard.json',
} as const;

/**
 * What `npm run generate` writes: config/rekeyd.schema.json, the tables of docs/configuration.md, and the chart's copies of
 * alert rules and dashboard.
 * @throws Error where the page has lost the lines between which the tables stand.
 */
export async function generatedFiles(): Promise<Generated[]> {
  const backends = { issuers: issuerTypes, vaults: vaultTypes, ledgers: ledgerTypes };
  const root = new URL('../../', import.meta.url);
  const schema = new URL('config/rekeyd.schema.json', root);
  const page = new URL('docs/configuration.md', root);
  const pageText = await readFile(page, 'utf8');
  return [
    {
      file: schema,
      actual: await readFile(schema, 'utf8').catch(() => ''),
      expected: `${JSON.stringify(configJsonSchema(backends), null, 2)}\n`,
    },
    { file: page, actual: pageText, expected: withTables(pageText, keyTables(backends)) },
    ...(await Promise.all(Object.entries(CHART_FILES).map(([source, copy]) => copyOf(root, source, copy)))),
  ];
}

async function copyOf(root: URL, source: string, copy: string): Promise<Generated> {
  const file = new URL(copy, root);
  return {
    file,
    actual: await readFile(file, 'utf8').catch(() => ''),
    expected: await readFile(new URL(source, root), 'utf8'),
  };
}

function withTables(page: string, tables: string): string {
  const start = page.indexOf(TABLES_START);
  const end = page.indexOf(TABLES_END, start);
  if (start < 0 || end < 0) throw new Error(`docs/configuration.md has lost the lines ${TABLES_START} … ${TABLES_END}`);
  return `${page.slice(0, start + TABLES_START.length)}\n\n${tables}\n${page.slice(end)}`;
}

/** `npm run generate`: writes what is out of date. `--check`: only tells, and exits 1. */
async function generate(check: boolean): Promise<number> {
  const stale = (await generatedFiles()).filter(({ actual, expected }) => actual !== expected);
  for (const { file, expected } of stale) {
    const name = file.pathname.split('/').slice(-2).join('/');
    if (!check) await writeFile(file, expected);
    process.stderr.write(check ? `${name} is out of date: run npm run generate\n` : `wrote ${name}\n`);
  }
  return check && stale.length > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = await generate(process.argv.includes('--check'));
