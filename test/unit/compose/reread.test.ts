import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { realPorts } from '../../../src/compose/ports.ts';
import { createWorkshop } from '../../../src/compose/workshop.ts';
import { createEmulator } from '../../../src/emulator/emulator.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const each of cleanups.splice(0).reverse()) await each();
});

describe('a secret of our own that was changed in its file', () => {
  it('is taken up when the old one is refused, without a restart', async () => {
    const emulator = await createEmulator({ clientId: 'boot', clientSecret: 'first-secret' });
    cleanups.push(() => emulator.close());
    const folder = await mkdtemp(join(tmpdir(), 'rekeyd-reread-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const config = join(folder, 'rekeyd.yaml');
    await writeFile(join(folder, 'secret'), 'first-secret\n');
    await writeFile(
      config,
      [
        'instance: test',
        'issuers:',
        `  data8: { type: data8, baseUrl: "${emulator.url}", tokenUrl: "${emulator.tokenUrl}", clientId: boot, clientSecret: "\${file:secret}" }`,
      ].join('\n'),
    );
    const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
    const stream = Object.assign(sink, { isTTY: false });
    const workshop = createWorkshop({
      version: 'test',
      ports: realPorts,
      env: {},
      stdout: stream,
      stderr: stream,
      logTo: () => undefined,
    });
    const settings = await workshop.loadSettings([config]);
    const issuer = await workshop.openIssuer(settings, 'data8');
    cleanups.push(() => issuer.close());
    expect(await issuer.listCredentials()).toHaveLength(1);

    const made = await issuer.createSecret('boot', { expires: null, description: 'next' });
    const old = (await issuer.listSecrets('boot')).find((each) => each.secretId !== made.secretId);
    await issuer.deleteSecret('boot', old?.secretId ?? '');
    emulator.revokeTokens();
    await expect(issuer.listCredentials()).rejects.toThrow('refuses our own client');

    await writeFile(join(folder, 'secret'), made.value.reveal());
    expect(await issuer.listCredentials()).toHaveLength(1);
  });
});
