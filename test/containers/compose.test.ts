import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { freePort } from '../servers/local-program.ts';
import { compose, findCompose } from './compose.ts';
import { buildImage, IMAGE, whyNoDocker } from './docker.ts';

const found = await findCompose();
const noCompose = found.how === 'none' ? found.reason : null;
const reason = noCompose ?? (await whyNoDocker());
if (reason !== null) process.stderr.write(`test/containers/compose.test.ts is skipped: ${reason}\n`);

describe.skipIf(noCompose !== null)('docker-compose.yml', () => {
  it('is understood by Compose, with each profile, and needs no password before it is used', async () => {
    for (const profile of ['prod', 'monitoring']) {
      const read = parse(await compose(found, ['--profile', profile, 'config'], { GRAFANA_PASSWORD: '' })) as {
        services: Record<string, { image: string }>;
      };
      expect(Object.keys(read.services)).toEqual(expect.arrayContaining(['emulator', 'demo', 'consumer']));
    }
    const all = parse(await compose(found, ['--profile', 'monitoring', 'config'])) as {
      services: Record<string, { read_only: boolean; cap_drop: string[] }>;
    };
    for (const name of ['prometheus', 'grafana']) {
      expect(all.services[name]).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    }
  });
});

describe.skipIf(reason !== null)('docker compose up', () => {
  const project = `rekeyd-test-${randomBytes(6).toString('hex')}`;
  let folder: string;
  let env: Readonly<Record<string, string>>;
  const demo = (...args: readonly string[]): Promise<string> =>
    compose(
      found,
      [
        ...['--project-name', project, '--file', 'docker-compose.yml'],
        ...['--file', join(folder, 'image.yml')],
        ...args,
      ],
      env,
    );

  beforeAll(async () => {
    await buildImage();
    folder = await mkdtemp(join(tmpdir(), 'rekeyd-compose-'));
    env = { REKEYD_DEMO_PORT: String(await freePort()) };
    // the image of this checkout, so that one of the name that people use stays
    const services = Object.fromEntries(['emulator', 'demo', 'consumer'].map((name) => [name, { image: IMAGE }]));
    await writeFile(join(folder, 'image.yml'), stringify({ services }));
    await demo('up', '--detach', '--no-build');
  }, 900_000);
  afterAll(async () => {
    await demo('down', '--volumes', '--timeout', '5');
    await rm(folder, { recursive: true });
  }, 60_000);

  it('delivers to the consumer, which prints which secret it uses', async () => {
    await expect
      .poll(() => demo('logs', '--no-color', 'consumer'), { timeout: 60_000, interval: 1_000 })
      .toContain('uses secret');
  });

  it('answers Prometheus where it asks: name and port of the profile monitoring', async () => {
    const look = `
      const at = (path) => fetch('http://demo:8082' + path).then((answer) => answer.status + ' ' + path);
      Promise.all(['/metrics', '/readyz', '/v1/status'].map(at)).then((all) => console.log(all.join()));`;
    // from another container's place in the network, by Docker's names
    expect(await demo('exec', '-T', 'emulator', 'node', '-e', look)).toContain(
      '200 /metrics,200 /readyz,404 /v1/status',
    );
  });
});
