import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createProxy } from 'node:http';
import { createServer } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeGcpKeyFile } from '../../fakes/gcp-key-file.ts';
import { selfSigned } from '../../fakes/self-signed.ts';

/** A name that no resolver knows: only who goes by the proxy gets there. */
const HOST = 'far.invalid';
/** Does for a secret of each cloud. */
const ANSWER = JSON.stringify({ id: `https://${HOST}/secrets/x/1`, value: 'x', attributes: {} });

/** Each way out of the process, as a program that ends with an error where nothing came back. */
const WAYS = {
  'the issuer, and webhooks': `
    import ky from 'ky';
    await ky('https://${HOST}/');`,
  OIDC: `
    import { fetchText } from './src/oidc/fetch-text.ts';
    await fetchText('https://${HOST}/keys', { ca: null, token: null, signal: AbortSignal.timeout(10_000) });`,
  'HashiCorp Vault': `
    import { Transport } from './src/vaults/hashicorp-vault/transport.ts';
    await new Transport('https://${HOST}:8200', null).send({ method: 'GET', path: '/v1/x', headers: {}, body: null });`,
  AWS: `
    import { openClient } from './src/vaults/aws-secrets-manager/client.ts';
    const options = { region: 'eu-west-2', roleArn: null, externalId: null, endpoint: 'https://${HOST}', stsEndpoint: null };
    const clock = { now: () => Date.now(), monotonic: () => performance.now() };
    const { client } = await openClient(options, { name: 'aws', timeout: 10_000, clock, log: console });
    await client.getSecretValue({ SecretId: 'x' });`,
  Azure: `
    import { openClient } from './src/vaults/azure-key-vault/client.ts';
    const credential = { getToken: async () => ({ token: 'x', expiresOnTimestamp: Date.now() + 1e6 }) };
    const options = { url: 'https://${HOST}', auth: { method: 'default' } };
    await (await openClient(options, { name: 'azure' }, { credential })).getSecret('x');`,
  Google: `
    import * as sdk from '@google-cloud/secret-manager';
    import { Connection } from './src/vaults/gcp-secret-manager/connection.ts';
    const options = { project: 'p', keyFile: process.env.KEY_FILE, endpoint: 'https://${HOST}', locations: null, kmsKey: null };
    const clock = { now: () => Date.now(), monotonic: () => performance.now() };
    const client = await new Connection(sdk, options, { clock, log: console }).client();
    await client.getSecret({ name: 'projects/p/secrets/s' }, { retry: null, timeout: 10_000 });`,
};

let folder: string;
let far: Server;
let proxy: Server;
let asked: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekeyd-proxy-'));
  const { key, cert } = selfSigned(HOST);
  await writeFile(join(folder, 'ca.pem'), cert);
  writeGcpKeyFile(join(folder, 'key.json'));
  far = createServer({ key, cert }, (_, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER);
  });
  proxy = createProxy().on('connect', ({ url = '' }, near, head: Buffer) => {
    asked.push(url);
    const onward = connect((far.address() as AddressInfo).port, '127.0.0.1', () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(near).pipe(onward);
    });
    near.on('error', () => onward.destroy());
    onward.on('error', () => near.destroy());
  });
  for (const server of [far, proxy]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  for (const server of [far, proxy]) server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  asked = [];
});

/** Runs a program where the environment names the proxy. @returns its exit code. */
function run(
  program: string,
  env: Readonly<Record<string, string>> = { NODE_USE_ENV_PROXY: '1' },
): Promise<number | null> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', `${program}\nprocess.exit(0);`], {
    env: {
      PATH: process.env['PATH'],
      HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      KEY_FILE: join(folder, 'key.json'),
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      ...env,
    },
    stdio: 'ignore',
  });
  return new Promise((resolve) => child.on('close', resolve));
}

describe('behind a proxy, with NODE_USE_ENV_PROXY', () => {
  it.each(Object.entries(WAYS))('%s: goes through the proxy of HTTPS_PROXY', async (_, program) => {
    expect(await run(program)).toBe(0);
    expect(new Set(asked.map((place) => place.split(':')[0]))).toEqual(new Set([HOST]));
  });

  it.each(Object.entries(WAYS))('%s: goes past it to what NO_PROXY names', async (_, program) => {
    expect(await run(program, { NODE_USE_ENV_PROXY: '1', NO_PROXY: HOST })).not.toBe(0);
    expect(asked).toEqual([]);
  });
});
