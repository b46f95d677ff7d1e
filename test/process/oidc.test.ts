import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OidcIssuer } from '../fakes/oidc-issuer.ts';
import { seededClientId } from '../../src/emulator/seed.ts';
import { ask } from '../unit/http/raw-connection.ts';
import { EmulatedIssuer } from './emulated-issuer.ts';
import { ISSUER, settled, Site } from './site.ts';

const KEY = 'oidc';
const TOKEN = 'operator-token-0123456789abcdef';
const ROTATE = `/v1/credentials/data8/${seededClientId(KEY, 1)}/rotate`;
const SUBJECT = 'system:serviceaccount:apps:deployer';

const config = (oidc: string): string => `instance: oidc
ledger: { type: memory }
http:
  port: 0
  socket: ./rekeyd.sock
  tokens: [{ name: ci, role: operator, token: ${TOKEN} }]
${oidc}${ISSUER}vaults:
  local: { type: file, path: ./vault, key: ./vault.key }
policies:
  default: { lifetime: 2h, renewBefore: 1h, grace: 30m, provisional: 20s, verify: { timeout: 8s, settle: 0s } }
credentials:
  - issuer: data8
    match: { description: "{app} (prod)" }
    deliver: [{ vault: local, name: "{app}" }]
`;

let data8: EmulatedIssuer;
let oidc: OidcIssuer;
let site: Site;
beforeAll(async () => {
  const groups = [{ credentials: 1, description: 'app-{n} (prod)', secretDescription: 'made by hand' }];
  data8 = await EmulatedIssuer.start({ seed: { key: KEY, groups } });
  oidc = await OidcIssuer.start({ alg: 'RS256' });
  site = await Site.open(data8.env, config(''));
}, 60_000);
afterAll(async () => {
  await site.close();
  await oidc[Symbol.asyncDispose]();
  await data8.stop();
});

/** Starts the daemon. @returns how to ask it over its port, and the packages that it loaded. */
async function start(): Promise<{
  port: number;
  loaded: () => Promise<string[]>;
  stop: () => Promise<unknown>;
  out: () => string;
}> {
  const file = site.path('loaded');
  await writeFile(file, '');
  const preload = new URL('loaded-packages.ts', import.meta.url).href;
  const daemon = await site.start({ NODE_OPTIONS: `--import ${preload}`, REKEYD_TEST_LOADED: file });
  return {
    port: Number(/"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(daemon.out)?.[1]),
    loaded: async () => (await readFile(file, 'utf8')).split('\n'),
    stop: () => {
      daemon.kill('SIGTERM');
      return daemon.ended();
    },
    out: () => daemon.out,
  };
}

describe('the daemon', () => {
  it('loads what reads JWTs only where an issuer of them is configured', async () => {
    const { loaded, stop } = await start();
    expect(await loaded()).not.toContain('jose');
    await stop();
  });

  it('takes the JWT of a service account, and says in history and audit who it was', async () => {
    await site.configure(
      config(`  oidc:
    - issuer: ${oidc.url}
      audience: rekeyd
      roles: [{ claim: sub, match: "system:serviceaccount:apps:*", role: operator }]
`),
    );
    const { port, loaded, stop, out } = await start();
    expect(await loaded()).toContain('jose');
    const known = await settled(async () => {
      const states = (await site.credentials()).filter(({ state }) => state === 'ok').map(({ name }) => name);
      return states.length > 0 ? [] : ['no credential is well yet'];
    }, 30_000);
    expect(known).toEqual([]);
    const by = (token: string) => ({ method: 'POST', headers: { authorization: `Bearer ${token}` } });
    const jwt = await oidc.sign({ sub: SUBJECT }, { now: Date.now() });
    const answer = await ask({ port }, ROTATE, by(jwt));
    expect([answer.status, answer.text]).toEqual([202, expect.stringContaining('rotationId')]);
    const actor = `${SUBJECT}@${new URL(oidc.url).host}`;
    const [rotation] = await site.rotations();
    expect(rotation).toMatchObject({ trigger: 'manual', actor });
    expect(out()).toContain(`"actor":"${actor}"`);
    expect(out()).not.toContain(jwt.slice(0, 30));
    const late = await oidc.sign({ sub: SUBJECT }, { now: Date.now() - 3_600_000 });
    expect((await ask({ port }, ROTATE, by(late))).status).toBe(401);
    expect((await ask({ port }, '/v1/status', { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
    await stop();
  });
});
