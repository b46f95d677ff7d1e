import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const text = (path: string): string => readFileSync(path, 'utf8');

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  /** Null: handed on where it is set. */
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly entrypoint?: readonly string[];
  readonly networks?: { readonly default: { readonly aliases: readonly string[] } };
}
const { services, volumes } = parse(text('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
};

/** Of a service, each file of the checkout that it sees, by where it sees it. */
function filesOf(service: string): Map<string, string> {
  const mounts = (services[service]?.volumes ?? []).filter((mount) => mount.startsWith('./'));
  return new Map(
    mounts.map((mount) => mount.split(':') as [string, string]).map(([source, target]) => [target, source]),
  );
}

describe('docker-compose.yml', () => {
  it.each(Object.entries(services))(
    '%s can change nothing and gain nothing, and is reached from this machine only',
    (_, service) => {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
      if (service.image.startsWith('rekeyd')) expect(service).toMatchObject({ init: true, ulimits: { core: 0 } });
    },
  );

  it.each(Object.keys(services))(
    '%s mounts files that are there, unchangeable, and volumes that are declared',
    (name) => {
      for (const mount of services[name]?.volumes ?? []) {
        const [source = '', , mode] = mount.split(':');
        if (!source.startsWith('./')) expect(volumes).toHaveProperty(source);
        else expect({ mode, exists: existsSync(source) }, mount).toEqual({ mode: 'ro', exists: true });
      }
    },
  );

  it("hands on every variable of the image's own configuration, but for ports in it and secrets that are files", () => {
    const folder = 'packaging/config';
    const files = [
      'rekeyd.yaml',
      'operator-token.yaml',
      ...readdirSync(`${folder}/vaults`).map((name) => `vaults/${name}`),
    ];
    const asked = files.flatMap((file) =>
      [...text(`${folder}/${file}`).matchAll(/\$\{([A-Z][A-Z0-9_]*)/g)].map(([, name = '']) => name),
    );
    const fixed = ['REKEYD_PORT', 'REKEYD_HEALTH_PORT', 'DATA8_CLIENT_SECRET', 'REKEYD_OPERATOR_TOKEN'];
    const { environment = {} } = services['rekeyd'] ?? {};
    expect(new Set(asked.filter((name) => !Object.hasOwn(environment, name)))).toEqual(new Set(fixed));
    for (const [name, value] of Object.entries(environment)) {
      // what has no default of its own stays unset, for an SDK takes an empty value for one
      if (value !== null) expect(value).toMatch(new RegExp(`^\\$\\{${name}:-`));
    }
  });

  it('starts the demo where no profile is named', () => {
    const always = Object.entries(services).filter(([, { profiles }]) => profiles === undefined);
    expect(always.map(([name]) => name)).toEqual(['emulator', 'demo', 'consumer']);
    expect(services['rekeyd']?.profiles).toEqual(['prod']);
    expect(services['prometheus']?.profiles).toEqual(['monitoring']);
    expect(services['grafana']?.profiles).toEqual(['monitoring']);
  });
});

describe('its profile monitoring', () => {
  const prometheusFiles = filesOf('prometheus');
  const grafanaFiles = filesOf('grafana');

  it('takes images by their version', () => {
    for (const name of ['prometheus', 'grafana']) expect(services[name]?.image).toMatch(/:v?\d+\.\d+\.\d+$/);
  });

  it('gives Prometheus the alert rules, and the port for health of each rekeyd that there is', () => {
    const path = prometheusFiles.get('/etc/prometheus/prometheus.yml') ?? '';
    const config = parse(text(path)) as {
      rule_files: string[];
      scrape_configs: { dns_sd_configs: { names: string[]; port: number }[] }[];
    };
    expect(config.rule_files.map((file) => prometheusFiles.get(`/etc/prometheus/${file}`))).toEqual([
      './config/prometheus/alerts.yaml',
    ]);
    const found = config.scrape_configs.flatMap((scrape) => scrape.dns_sd_configs);
    expect(found).toMatchObject([{ names: ['rekeyd', 'demo'] }]);
    expect(text('packaging/config/rekeyd.yaml')).toContain(`\${REKEYD_HEALTH_PORT:-${found[0]?.port}}`);
    // the demo is on the network under a name of its emulator's
    expect(services['demo']).toMatchObject({ network_mode: 'service:emulator' });
    expect(services['emulator']?.networks?.default.aliases).toContain('demo');
  });

  it('gives Grafana that Prometheus, and the dashboard', () => {
    const data = parse(text(grafanaFiles.get('/etc/grafana/provisioning/datasources/rekeyd.yaml') ?? '')) as {
      datasources: { type: string; url: string; jsonData: { timeInterval: string } }[];
    };
    expect(data.datasources).toMatchObject([{ type: 'prometheus', url: 'http://prometheus:9090' }]);
    const { global } = parse(text('packaging/monitoring/prometheus.yml')) as { global: { scrape_interval: string } };
    expect(data.datasources[0]?.jsonData.timeInterval).toBe(global.scrape_interval);
    const boards = parse(text(grafanaFiles.get('/etc/grafana/provisioning/dashboards/rekeyd.yaml') ?? '')) as {
      providers: { options: { path: string } }[];
    };
    const home = services['grafana']?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
    expect(grafanaFiles.get(home)).toBe('./config/grafana/rekeyd.json');
    expect(boards.providers.map(({ options }) => options.path)).toEqual([dirname(home)]);
  });

  it('starts Grafana with a password of yours, and says so where there is none', () => {
    const { entrypoint = [], environment } = services['grafana']!;
    expect(environment?.['GF_SECURITY_ADMIN_PASSWORD']).toBe('${GRAFANA_PASSWORD:-}');
    const [shell = '', flags = '', script = ''] = entrypoint;
    const start = (password: string): string =>
      execFileSync(shell, [flags, script.replaceAll('$$', '$').replace('/run.sh', 'echo started')], {
        env: { PATH: process.env['PATH'], GF_SECURITY_ADMIN_PASSWORD: password },
        encoding: 'utf8',
        stdio: 'pipe',
      });
    expect(start('something')).toBe('started\n');
    expect(() => start('')).toThrow('set GRAFANA_PASSWORD');
  });
});
