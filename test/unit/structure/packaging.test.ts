import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadSettings } from '../../../src/config/load.ts';
import { issuerTypes } from '../../../src/issuers/registry.ts';
import { ledgerTypes } from '../../../src/ledger/registry.ts';
import { vaultTypes } from '../../../src/vaults/registry.ts';

const text = (path: string): string => readFileSync(path, 'utf8');

/** What is used without a further question: each lets a bundle be passed on with its notice. */
const LICENSES = [
  'Apache-2.0',
  'MIT',
  'MIT-0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
  'CC0-1.0',
  'PSF-2.0',
];

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}
interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

const manifest = JSON.parse(text('package.json')) as Manifest;
const lock = JSON.parse(text('package-lock.json')) as { packages: Record<string, Locked> };
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');

/** Whether an SPDX expression can be fulfilled with licenses of the list. */
function allowed(expression: string): boolean {
  return expression
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((license) => LICENSES.includes(license)));
}

describe('production dependencies', () => {
  it('have licenses that allow what is done with them', () => {
    const production = packages.filter(([, { dev }]) => dev !== true);
    expect(production.length).toBeGreaterThan(50);
    expect(
      production
        .filter(([, { license }]) => !allowed(license ?? 'none'))
        .map(([path, { license }]) => `${path}: ${license ?? 'none'}`),
    ).toEqual([]);
  });

  it('are locked by a digest, and bound to no registry', () => {
    expect(
      packages.filter(([, { integrity }]) => !(integrity ?? '').startsWith('sha512-')).map(([path]) => path),
    ).toEqual([]);
    expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
  });

  it('are listed in docs/dependencies.md, each with a reason, and no others', () => {
    const rows = [...text('docs/dependencies.md').matchAll(/^\| `([^`]+)`\s*\|\s*(\S.{10,}?)\s*\|$/gm)].map(
      ([, name]) => name,
    );
    expect(rows).toEqual(Object.keys(manifest.dependencies).sort());
  });
});

describe('.dockerignore', () => {
  it('leaves everything out that is not named, and what may hold a secret in any case', () => {
    const lines = text('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines[0]).toBe('*');
    const taken = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(taken).toEqual([
      'bin',
      'config/rekeyd.schema.json',
      'package.json',
      'package-lock.json',
      'packaging',
      'src',
      'tsconfig.json',
      'tsconfig.build.json',
      'LICENSE',
    ]);
    // the later line wins: these come after what is taken
    const last = lines.findLastIndex((line) => line.startsWith('!'));
    expect(lines.slice(last + 1)).toEqual(expect.arrayContaining(['**/.env*', '**/*.key', '**/*.pem', '**/*.db']));
  });
});

describe('packaging/config', () => {
  const folder = 'packaging/config';
  const backends = { issuers: issuerTypes, vaults: vaultTypes, ledgers: ledgerTypes };
  const overlays = readdirSync(join(folder, 'vaults')).map((name) => `vaults/${name}`);
  const others = ['operator-token.yaml', 'secret-files.yaml', 'demo.yaml'];

  function environmentFor(files: readonly string[]): Record<string, string> {
    const names = files.flatMap((file) =>
      [...text(file).matchAll(/\$\{([A-Z][A-Z0-9_]*)\}/g)].map(([, name = '']) => name),
    );
    const valueOf = (name: string): string =>
      /_URL$|_ADDR$/.test(name)
        ? 'https://example.test'
        : name === 'AWS_REGION'
          ? 'eu-west-2'
          : 'a-value-of-some-length';
    return Object.fromEntries(names.map((name) => [name, valueOf(name)]));
  }
  const load = (names: readonly string[]) => {
    const files = names.map((name) => join(folder, name));
    const readFile = (path: string): Promise<Uint8Array> =>
      Promise.resolve(path.startsWith('/run/secrets/') ? Buffer.from('a-value-of-some-length') : readFileSync(path));
    return loadSettings(files, { env: environmentFor(files), readFile, backends });
  };

  it('alone watches, and delivers nothing', async () => {
    const settings = await load(['rekeyd.yaml']);
    expect({
      host: settings.http.host,
      port: settings.http.port,
      health: settings.http.health,
      rules: settings.rules.length,
      vaults: settings.vaults.size,
    }).toEqual({
      host: '0.0.0.0',
      port: 8080,
      health: { host: '0.0.0.0', port: 8082 },
      rules: 0,
      vaults: 0,
    });
  });

  it.each([...overlays, ...others])('with %s loads', async (name) => {
    await expect(load(['rekeyd.yaml', name])).resolves.toBeDefined();
  });

  it.each(overlays)('%s delivers, and leaves alone the client that rekeyd itself lives on', async (name) => {
    const { rules } = await load(['rekeyd.yaml', name]);
    expect(rules).toHaveLength(2);
    expect(parse(text(join(folder, name)))).toMatchObject({
      credentials: [{ match: { clientId: '${DATA8_CLIENT_ID}' }, suspend: true }, {}],
    });
  });
});

describe('.github/workflows', () => {
  it.each(readdirSync('.github/workflows'))('%s: uses actions by their commit', (name) => {
    const uses = [...text(join('.github/workflows', name)).matchAll(/uses: (\S+)(.*)/g)];
    expect(uses.length).toBeGreaterThan(0);
    for (const [, action = '', comment = ''] of uses) {
      expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      expect(comment).toMatch(/ # v\d+\.\d+\.\d+/);
    }
  });

  it("release.yml: the image's tag and version are what the chart asks for, without the v of the git tag", () => {
    interface Step {
      readonly name?: string;
      readonly uses?: string;
      readonly run?: string;
      readonly with?: { readonly tags?: string; readonly 'build-args'?: string };
    }
    const { jobs } = parse(text('.github/workflows/release.yml')) as { jobs: { image: { steps: readonly Step[] } } };
    const { steps } = jobs.image;
    const push = steps.findIndex(({ uses = '' }) => uses.startsWith('docker/build-push-action@'));
    const place = mkdtempSync(join(tmpdir(), 'rekeyd-release-'));
    try {
      const file = join(place, 'env');
      writeFileSync(file, '');
      const env = { GITHUB_REF_NAME: 'v1.2.3', GITHUB_ENV: file };
      for (const { run } of steps.slice(0, push)) {
        if (run !== undefined) expect(spawnSync('bash', ['-e', '-c', run], { env }).status).toBe(0);
      }
      const set = new Map(
        text(file)
          .split('\n')
          .map((line) => line.split('=') as [string, string]),
      );
      const filled = (words = ''): string =>
        words.replace(/\$\{\{ env\.(\w+) \}\}/g, (_, name: string) => set.get(name) ?? 'unset');
      expect(filled(steps[push]?.with?.tags)).toMatch(/:1\.2\.3$/);
      expect(filled(steps[push]?.with?.['build-args'])).toContain('VERSION=1.2.3\n');
    } finally {
      rmSync(place, { recursive: true });
    }
    expect(text('helm/rekeyd/templates/_helpers.tpl')).toContain('.tag | default $.Chart.AppVersion');
  });
});

describe("the image's program", () => {
  const dockerfile = text('Dockerfile');
  const script = 'packaging/rekeyd.sh';
  const [, folder = '', flags = ''] = /^RUN node packaging\/warm\.ts (\S+) (.*)$/m.exec(dockerfile) ?? [];

  /** Starts it where a core file might be written, with a `node` that only tells what it was started with. */
  function start(...args: readonly string[]) {
    const place = mkdtempSync(join(tmpdir(), 'rekeyd-image-'));
    try {
      const told = 'echo "$$ $(ulimit -S -c) $(ulimit -H -c)"; for word; do echo "$word"; done; exit 3';
      writeFileSync(join(place, 'node'), `#!/bin/sh\n${told}\n`, { mode: 0o755 });
      const allowed = 'ulimit -S -c "$(ulimit -H -c)"; echo "$$ $(ulimit -S -c)"; exec "$@"';
      const { stdout, stderr, status } = spawnSync('/bin/sh', ['-c', allowed, 'sh', script, ...args], {
        env: { PATH: `${place}:/usr/bin:/bin` },
        encoding: 'utf8',
      });
      const [before = '', after = '', ...words] = stdout.trimEnd().split('\n');
      return { before: before.split(' '), after: after.split(' '), words, stderr, status };
    } finally {
      rmSync(place, { recursive: true });
    }
  }

  it('S1: writes no core file, which would hold what is in memory, and is the process that was started', () => {
    const { before, after, stderr, status } = start('run');
    expect(after).toEqual([before[0], '0', '0']);
    expect({ stderr, status }).toEqual({ stderr: '', status: 3 });
  });

  it('hands on its arguments as they are', () => {
    const { words } = start('data8', 'a b', '', '*', '$HOME');
    expect(words.slice(-5)).toEqual(['data8', 'a b', '', '*', '$HOME']);
  });

  it('is what the container, its health check and who is in it start', () => {
    const path = '/usr/local/bin/rekeyd';
    expect(dockerfile).toContain(`\nCOPY ${script} ${path}\n`);
    expect(statSync(script).mode & 0o111).toBe(0o111);
    expect(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1]).toBe(JSON.stringify([path]));
    expect(/^HEALTHCHECK .*\\\n *CMD (.*)$/m.exec(dockerfile)?.[1]).toBe(`["${path}", "health"]`);
  });

  it('can be read by its user, whatever umask the checkout was made with', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    const run = /^RUN (.*\\\n)*.*$/m.exec(last);
    const copied = [...last.matchAll(/^COPY (?!--from).* (\S+)$/gm)];
    expect(copied.map(([, to]) => to)).toEqual(['/usr/local/bin/rekeyd', '/etc/rekeyd/']);
    for (const { index } of copied) expect(index).toBeLessThan(run?.index ?? 0);
    expect(run?.[0]).toContain('chmod 0755 /usr/local/bin/rekeyd ');
    expect(run?.[0]).toContain('chmod -R a+rX /etc/rekeyd ');
  });

  it('may write its state as any user of group 0, which is what OpenShift runs it as', () => {
    expect(dockerfile).toMatch(/install -d -m 0770 -o 65532 -g 0 \/var\/lib\/rekeyd /);
  });

  it('has what V8 compiled made with its flags and by its user, or it would never be found', () => {
    expect(start().words).toEqual([...flags.split(' '), `${folder}/dist/bundle/rekeyd.js`]);
    const [, user] = /^USER (\d+):\d+$/m.exec(dockerfile) ?? [];
    const [, warm] = /^const USER = ([\d_]+);$/m.exec(text('packaging/warm.ts')) ?? [];
    expect(user).toBe(warm?.replace('_', ''));
  });
});
