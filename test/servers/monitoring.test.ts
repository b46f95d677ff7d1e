import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { createEmulator } from '../../src/emulator/emulator.ts';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { ISSUER, Site } from '../process/site.ts';
import { freePort, startProgram } from './local-program.ts';
import type { LocalProgram } from './local-program.ts';
import { prometheus } from './prometheus.ts';
import { promtool } from './promtool.ts';
import { provideServer } from './provided-server.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');
const server = await provideServer(prometheus);
const tool = await provideServer(promtool);

interface Rule {
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
}
interface Config {
  rule_files: string[];
  scrape_configs: { dns_sd_configs?: object[]; static_configs?: object[] }[];
}

/** What the image of Prometheus finds in /etc/prometheus: the files that docker-compose.yml mounts there. */
async function layOut(folder: string): Promise<void> {
  const { services } = parse(await read('docker-compose.yml'), { merge: true }) as {
    services: { prometheus: { volumes: string[] } };
  };
  for (const mount of services.prometheus.volumes.filter((each) => each.startsWith('./'))) {
    const [source = '', target = ''] = mount.split(':');
    const place = join(folder, target.slice('/etc/prometheus/'.length));
    await mkdir(dirname(place), { recursive: true });
    await cp(join(ROOT, source), place);
  }
}

const DAEMON = `instance: monitored
mode: active
schedule: "* * * * * *"
ledger: { type: sqlite, path: ./rekeyd.db }
http: { port: 0, health: { host: 127.0.0.1, port: 0 }, socket: ./rekeyd.sock }
vaults:
  local: { type: file, path: ./vault, key: ./vault.key }
policies:
  default: { verify: { timeout: 5s, settle: 0s } }
credentials:
  - { issuer: data8, match: { description: "*" }, deliver: [{ vault: local, name: "{name}" }] }
${ISSUER}`;

/** A rule that Prometheus can parse and not evaluate: several series on both sides. */
const BROKEN = `groups:
  - name: broken
    rules: [{ alert: Broken, expr: 'rekeyd_credentials / on (issuer) rekeyd_credentials' }]
`;

if (server.how === 'none' || tool.how === 'none') {
  const reason = server.how === 'none' ? server.reason : tool.how === 'none' ? tool.reason : '';
  describe("docker-compose.yml's Prometheus", () => {
    it.skip(`[skipped: ${reason}]`);
  });
} else {
  describe("docker-compose.yml's Prometheus", () => {
    let folder: string;
    let emulator: Emulator;
    let site: Site;
    let program: LocalProgram;
    let url: string;

    const api = async <Data>(path: string): Promise<Data> => {
      const answer = await fetch(`${url}/api/v1/${path}`);
      const body = (await answer.json()) as { status: string; error?: string; data: Data };
      if (body.status !== 'success') throw new Error(`${path}: ${body.error ?? answer.status}`);
      return body.data;
    };
    const rules = async (): Promise<readonly Rule[]> =>
      (await api<{ groups: { rules: Rule[] }[] }>('rules')).groups.flatMap((group) => group.rules);

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'rekeyd-prometheus-'));
      await layOut(folder);
      emulator = await createEmulator({ seed: { groups: [{ credentials: 2, description: 'shop (prod)' }] } });
      site = await Site.open(
        {
          DATA8_BASE_URL: emulator.url,
          DATA8_TOKEN_URL: emulator.tokenUrl,
          DATA8_CLIENT_ID: emulator.bootstrap.clientId,
          DATA8_CLIENT_SECRET: emulator.bootstrap.clientSecret ?? '',
        },
        DAEMON,
      );
      const daemon = await site.start();
      const [, health = ''] = await daemon.until(/"health":"http:\/\/([^"/]+)/);
      await daemon.until(/"event":"delivered"|"event":"rotation-\w+"/);

      // as it is, but for who is scraped, how often, and one rule that cannot work
      const config = parse(await readFile(join(folder, 'prometheus.yml'), 'utf8')) as Config;
      expect(config.scrape_configs).toHaveLength(1);
      delete config.scrape_configs[0]!.dns_sd_configs;
      config.scrape_configs[0]!.static_configs = [{ targets: [health] }];
      config.rule_files.push('broken.yaml');
      const quick = { ...config, global: { scrape_interval: '1s', evaluation_interval: '1s' } };
      await writeFile(join(folder, 'quick.yml'), stringify(quick));
      await writeFile(join(folder, 'broken.yaml'), BROKEN);

      const address = `127.0.0.1:${await freePort()}`;
      url = `http://${address}`;
      const flags = ['--config.file', join(folder, 'quick.yml'), '--storage.tsdb.path', join(folder, 'data')];
      program = await startProgram(server.server.access.path, [...flags, '--web.listen-address', address], {
        ready: async () => (await fetch(`${url}/-/ready`)).ok,
      });
    });
    afterAll(async () => {
      await program.stop();
      await site.close();
      await emulator.close();
      await rm(folder, { recursive: true });
    });

    it('has a configuration that promtool takes, rules included', async () => {
      const args = ['check', 'config', join(folder, 'prometheus.yml')];
      const { stdout } = await promisify(execFile)(tool.server.access.path, args);
      expect(stdout).toMatch(/SUCCESS: 1 rule files found/);
      expect(stdout).toMatch(/SUCCESS: \d\d rules found/);
    });

    it('scrapes rekeyd at its port for health', async () => {
      interface Target {
        readonly health: string;
        readonly lastError: string;
        readonly labels: Readonly<Record<string, string>>;
      }
      const targets = async () => (await api<{ activeTargets: Target[] }>('targets')).activeTargets;
      await expect
        .poll(targets, { timeout: 20_000 })
        .toMatchObject([{ health: 'up', lastError: '', labels: { job: 'rekeyd' } }]);
    });

    it('evaluates every rule without an error, and says of one that cannot be evaluated that it cannot', async () => {
      const names = async () => (await rules()).map(({ name, health }) => `${name}: ${health}`);
      const { groups } = parse(await read('config/prometheus/alerts.yaml')) as {
        groups: { rules: { alert: string }[] }[];
      };
      const all = groups.flatMap((group) => group.rules).map(({ alert }) => `${alert}: ok`);
      await expect.poll(names, { timeout: 20_000 }).toEqual(['Broken: err', ...all]);
      expect((await rules()).find(({ name }) => name === 'Broken')?.lastError).toContain('many-to-many');
    });

    it('answers every query of the dashboard, and most of them with something', async () => {
      const { panels } = JSON.parse(await read('config/grafana/rekeyd.json')) as {
        panels: { title: string; targets?: { expr: string }[] }[];
      };
      const queries = panels.flatMap(({ targets = [] }) =>
        targets.map(({ expr }) => expr.replaceAll('$instance', '.*')),
      );
      const answered = async () => {
        const results = queries.map((query) =>
          api<{ result: unknown[] }>(`query?query=${encodeURIComponent(query)}`).then(
            ({ result }) => result.length > 0,
          ),
        );
        return (await Promise.all(results)).filter(Boolean).length / queries.length;
      };
      await expect.poll(answered, { timeout: 20_000 }).toBeGreaterThan(0.6);
    });
  });
}
