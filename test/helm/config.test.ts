import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findHelm, ROOT, run } from './helm-command.ts';
import type { Ran } from './helm-command.ts';
import { template, VALUE_SETS, valuesFile } from './rendered.ts';
import type { Rendered } from './rendered.ts';

const helm = findHelm();

/**
 * `rekeyd check --offline` of the rendered configuration, with the files and variables that the rendered pod has and no
 * others, so that a reference to something that is not mounted fails.
 */
async function check(rendered: Rendered, folder: string): Promise<Ran> {
  const { containers, volumes } = rendered.pod.spec;
  const [{ env, volumeMounts }] = containers;
  const mount = volumeMounts.find(({ name }) => name === 'secrets')?.mountPath;
  const secrets = join(folder, 'secrets');
  await mkdir(secrets, { recursive: true });
  for (const { secret } of volumes.find(({ name }) => name === 'secrets')?.projected?.sources ?? []) {
    for (const { path } of secret.items) await writeFile(join(secrets, path), 'not-a-real-secret-0123456789\n');
  }
  const file = join(folder, 'rekeyd.yaml');
  const text =
    mount === undefined ? rendered.config : rendered.config.replaceAll(`\${file:${mount}/`, `\${file:${secrets}/`);
  await writeFile(file, text);
  const variables = env.map(({ name, value }) => [name, value ?? 'not-a-real-secret-0123456789']);
  const given = { ...(Object.fromEntries(variables) as Record<string, string>), REKEYD_CONFIG: file };
  // as bin/rekeyd.js does it, from the source
  const program = `import { main } from '${ROOT}/src/main.ts'; await main(['check', '--offline']);`;
  return run(process.execPath, ['--input-type=module', '--eval', program], { PATH: process.env['PATH'], ...given });
}

describe.skipIf(helm.how === 'none')(helm.how === 'none' ? helm.reason : 'the rendered configuration', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rekeyd-helm-config-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it.each(VALUE_SETS)('%s: is one that rekeyd takes, with what the pod has', async (set) => {
    const { code, err } = await check(await template(helm, [valuesFile(set)]), join(folder, set));
    expect(code, err).toBe(0);
    expect(err).toContain('configuration ok');
  });

  it('is not taken where a file that it names is not mounted', async () => {
    const rendered = await template(helm, [valuesFile('file-vault')]);
    const source = rendered.config.replace('/secrets/ci-token', '/secrets/another-token');
    const { code, err } = await check(
      Object.create(rendered, { config: { value: source } }) as Rendered,
      join(folder, 'bad'),
    );
    expect(code).toBe(2);
    expect(err).toContain('another-token');
  });

  it('turns the socket off by null, which Helm alone would make the default', async () => {
    expect((await template(helm, [valuesFile('everything')])).config).toContain('socket: null');
  });
});
