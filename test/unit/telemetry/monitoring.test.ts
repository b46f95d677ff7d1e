import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createMetricsPage } from '../../../src/daemon/gauges.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { createPrometheus } from '../../../src/telemetry/prometheus.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';

const read = (path: string): Promise<string> => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}
interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
interface RuleTest {
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
}

const { groups } = parse(await read('config/prometheus/alerts.yaml')) as { groups: { rules: Alert[] }[] };
const alerts = groups.flatMap((group) => group.rules);
const { tests } = parse(await read('test/servers/alerts.promtool.yaml')) as { tests: RuleTest[] };
const dashboard = JSON.parse(await read('config/grafana/rekeyd.json')) as {
  panels: Panel[];
  templating: { list: { definition?: string }[] };
};
const operations = await read('docs/operations.md');

/** Labels that Prometheus adds, and that of a histogram's buckets. */
const ADDED = ['instance', 'job', 'le'];

/** All metrics that there are, with their labels; of a histogram its series. */
function metrics(): Map<string, readonly string[]> {
  const { registry } = createPrometheus({ version: '1' });
  createMetricsPage({
    registry,
    ledger: {
      countsByState: () => Promise.resolve([]),
      credentials: () => Promise.resolve({ items: [], nextCursor: null }),
    },
    ...createManualPorts(),
    log: silentLog,
    mode: 'active',
    issuers: [],
    perCredential: 'auto',
    ledgerProblem: () => Promise.resolve(null),
    status: () => Promise.resolve({ breakers: [], bulk: null, paused: { paused: false, until: null, note: null } }),
  });
  const all = new Map<string, readonly string[]>();
  for (const metric of registry.getMetricsAsArray() as unknown as {
    name: string;
    type: string;
    labelNames: string[];
  }[]) {
    const suffixes = metric.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const suffix of suffixes) all.set(metric.name + suffix, metric.labelNames);
  }
  return all;
}

/** What a query names that is not there: metrics, and labels of a selector that its metric does not have. */
function unknownIn(expr: string, known: ReadonlyMap<string, readonly string[]>): string[] {
  const wrong: string[] = [];
  for (const [, name = '', selector = ''] of expr.matchAll(/\b((?:rekeyd|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)) {
    const labels = known.get(name);
    if (labels === undefined) wrong.push(name);
    for (const [, label = ''] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
      if (labels !== undefined && !labels.includes(label) && !ADDED.includes(label)) wrong.push(`${name}{${label}}`);
    }
  }
  const every = new Set([...ADDED, ...[...known.values()].flat()]);
  for (const [, list = ''] of expr.matchAll(/\b(?:by|on|ignoring|without) \(([^)]*)\)/g)) {
    for (const label of list.split(',').map((each) => each.trim())) if (!every.has(label)) wrong.push(label);
  }
  return wrong;
}

describe('config/prometheus/alerts.yaml', () => {
  it('asks for metrics and labels that there are', () => {
    const known = metrics();
    expect(alerts.length).toBeGreaterThanOrEqual(9);
    for (const { alert, expr } of alerts) {
      expect(unknownIn(expr, known), alert).toEqual([]);
      expect(expr, alert).toMatch(/rekeyd_/);
    }
  });

  it('names labels of its metrics in what it tells', () => {
    const every = new Set([...ADDED, ...[...metrics().values()].flat()]);
    for (const { alert, annotations } of alerts) {
      const named = [...annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
      expect(
        named.filter((label) => !every.has(label)),
        alert,
      ).toEqual([]);
    }
  });

  it('has each alert that a page names', async () => {
    const pages = (await readdir(new URL('../../../docs', import.meta.url))).filter((name) => name.endsWith('.md'));
    const known = new Set(alerts.map(({ alert }) => alert));
    const unknown: string[] = [];
    for (const page of ['CHANGELOG.md', 'README.md', ...pages.map((name) => `docs/${name}`)]) {
      const named = [...(await read(page)).matchAll(/\bRekeyd[A-Z]\w+/g)].map(([name]) => name);
      unknown.push(...named.filter((name) => !known.has(name)).map((name) => `${page}: ${name}`));
    }
    expect(unknown).toEqual([]);
  });

  it('has a runbook for each alert, under its name, in its order, that says what to do', () => {
    const section = operations.split('\n## Alerts\n')[1]?.split(/^## /m)[0] ?? '';
    const books = section.split(/^### /m).slice(1);
    expect(books.map((book) => book.split('\n')[0])).toEqual(alerts.map(({ alert }) => alert));
    for (const [index, book] of books.entries()) {
      const { alert, annotations } = alerts[index]!;
      expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`);
      expect(book, alert).toContain('**Means**');
      expect(book, alert).toContain('**Do**');
    }
  });

  it('has a test by promtool for each alert, firing and silent', () => {
    const tried = tests.flatMap((test) => test.alert_rule_test);
    for (const { alert } of alerts) {
      const mine = tried.filter(({ alertname }) => alertname === alert);
      expect(
        mine.some(({ exp_alerts }) => exp_alerts.length > 0),
        alert,
      ).toBe(true);
      expect(
        mine.some(({ exp_alerts }) => exp_alerts.length === 0),
        alert,
      ).toBe(true);
    }
  });
});

describe('config/grafana/rekeyd.json', () => {
  const queries = [
    ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
    ...dashboard.templating.list.flatMap(({ definition }) =>
      definition === undefined ? [] : [['', definition] as const],
    ),
  ];

  it('asks for metrics and labels that there are', () => {
    const known = metrics();
    expect(queries.length).toBeGreaterThan(15);
    for (const [title, expr] of queries) expect(unknownIn(expr, known), `${title}: ${expr}`).toEqual([]);
  });

  it('shows each metric of rekeyd', () => {
    const shown = queries.map(([, expr]) => expr).join('\n');
    const names = [...metrics().keys()].filter((name) => name.startsWith('rekeyd_') && !/_(sum|count)$/.test(name));
    expect(names.filter((name) => !shown.includes(name))).toEqual([]);
  });
});

describe('this test', () => {
  it('sees a metric and a label that are not there', () => {
    const known = metrics();
    expect(unknownIn('sum(rekeyd_credential{issuer="x"})', known)).toEqual(['rekeyd_credential']);
    expect(unknownIn('rekeyd_credentials{status="ok"}', known)).toEqual(['rekeyd_credentials{status}']);
    expect(unknownIn('sum by (colour) (rekeyd_credentials)', known)).toEqual(['colour']);
    expect(unknownIn('rekeyd_rotation_duration_seconds', known)).toEqual(['rekeyd_rotation_duration_seconds']);
  });
});
