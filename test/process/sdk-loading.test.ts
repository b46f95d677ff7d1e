import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { vaultTypes } from '../../src/vaults/registry.ts';
import { writeGcpKeyFile } from '../fakes/gcp-key-file.ts';
import { ISSUER, Site } from './site.ts';

/** What the backends are spoken to with. */
const SDKS = [
  '@aws-sdk/client-secrets-manager',
  '@azure/identity',
  '@azure/keyvault-secrets',
  '@google-cloud/secret-manager',
  '@kubernetes/client-node',
  'age-encryption',
];

/** Nothing listens at port 1: what is loaded shows before anybody is asked. */
const NOBODY = 'http://127.0.0.1:1';
const KUBECONFIG = {
  clusters: [{ name: 'nobody', cluster: { server: NOBODY } }],
  users: [{ name: 'nobody', user: { token: 'none' } }],
  contexts: [{ name: 'nobody', context: { cluster: 'nobody', user: 'nobody' } }],
  'current-context': 'nobody',
};

/** The options of each type, and the SDKs that it may load. */
const TYPES: Readonly<Record<string, { readonly options: string; readonly loads: readonly string[] }>> = {
  'aws-secrets-manager': { options: `region: eu-west-2, endpoint: "${NOBODY}"`, loads: [SDKS[0] ?? ''] },
  'azure-key-vault': {
    options: 'url: "https://127.0.0.1:1"',
    loads: ['@azure/identity', '@azure/keyvault-secrets'],
  },
  directory: { options: 'path: ./plain', loads: [] },
  file: { options: 'path: ./vault, key: ./vault.key', loads: ['age-encryption'] },
  'gcp-secret-manager': {
    options: `project: test-project, keyFile: ./gcp.json, endpoint: "${NOBODY}"`,
    loads: ['@google-cloud/secret-manager'],
  },
  'hashicorp-vault': { options: `url: "${NOBODY}", auth: { method: token, token: none }`, loads: [] },
  kubernetes: { options: 'namespace: apps, kubeconfig: ./kubeconfig.yaml', loads: ['@kubernetes/client-node'] },
  memory: { options: '', loads: [] },
  module: { options: 'module: ./vault.mjs', loads: [] },
};

const MODULE = `export const createVault = () => ({
  identity: 'one',
  async describe() { return { state: 'absent' }; },
  async read() { return { state: 'absent' }; },
  async deliver() { return { version: '1' }; },
});
`;

let site: Site;
afterEach(() => site.close());

/** Starts the daemon with one vault of the type. @returns the packages that it loaded until its HTTP was up. */
async function packagesOf(type: string, options: string): Promise<string[]> {
  const vault = ['type: ' + type, ...(options === '' ? [] : [options])].join(', ');
  const env = { DATA8_BASE_URL: NOBODY, DATA8_TOKEN_URL: NOBODY, DATA8_CLIENT_ID: 'x', DATA8_CLIENT_SECRET: 'x' };
  site = await Site.open(
    env,
    `instance: loads
ledger: { type: memory }
http: { port: 0, socket: ./rekeyd.sock }
${ISSUER}vaults:
  one: { ${vault} }
`,
  );
  await writeFile(site.path('kubeconfig.yaml'), JSON.stringify(KUBECONFIG), { mode: 0o600 });
  await writeFile(site.path('vault.mjs'), MODULE);
  writeGcpKeyFile(site.path('gcp.json'));
  const loaded = site.path('loaded');
  const preload = new URL('loaded-packages.ts', import.meta.url).href;
  await site.start({ NODE_OPTIONS: `--import ${preload}`, REKEYD_TEST_LOADED: loaded });
  return [...new Set((await readFile(loaded, 'utf8')).split('\n'))];
}

describe('a daemon with one vault', () => {
  beforeAll(() => {
    expect(Object.keys(TYPES).sort()).toEqual([...vaultTypes.keys()].sort());
  });

  it.each(Object.entries(TYPES))('of type %s loads no SDK of another', async (type, { options, loads }) => {
    const packages = await packagesOf(type, options);
    expect(SDKS.filter((name) => packages.includes(name))).toEqual(loads);
  });
});
