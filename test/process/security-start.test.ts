import { chmod, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededClientId } from '../../src/emulator/seed.ts';
import { ask } from '../unit/http/raw-connection.ts';
import { EmulatedIssuer } from './emulated-issuer.ts';
import { portOf, securityConfig, TOKEN } from './security-site.ts';
import { settled, Site } from './site.ts';

const KEY = 'security-start';
const CLIENT = seededClientId(KEY, 1);
const CONFIG = securityConfig({ tokens: false }).replace('${file:./own.secret}', '${DATA8_CLIENT_SECRET}');

let issuer: EmulatedIssuer;

beforeAll(async () => {
  issuer = await EmulatedIssuer.start({
    seed: { key: KEY, groups: [{ credentials: 1, description: 'app-{n} (prod)', secretDescription: 'made by hand' }] },
  });
}, 60_000);

afterAll(() => issuer.stop());

describe('S8: files', () => {
  it.each(['run', 'once'])(
    'S8: %s refuses a key or a vault that others may open, with 2 and what to do',
    async (way) => {
      const loose = await Site.open(issuer.env, CONFIG);
      try {
        await writeFile(loose.path('vault.key'), 'AGE-SECRET-KEY-1', { mode: 0o644 });
        const key = await loose.run([way]);
        expect(key.code).toBe(2);
        expect(key.out + key.err).toContain(`chmod 0600 '${loose.path('vault.key')}'`);
        expect(key.out + key.err).not.toContain('AGE-SECRET-KEY');
        await rm(loose.path('vault.key'));
        await chmod(loose.path('vault'), 0o755);
        const folder = await loose.run([way]);
        expect(folder.code).toBe(2);
        expect(folder.out + folder.err).toContain(`chmod 0700 '${loose.path('vault')}'`);
      } finally {
        await loose.close();
      }
    },
  );
});

describe('S3: no token is configured', () => {
  it('S3: over the port only health and metrics answer; the socket still does all', async () => {
    const bare = await Site.open(issuer.env, CONFIG);
    try {
      const to = { port: portOf(await bare.start()) };
      const isReady = async () => ((await ask(to, '/readyz')).status === 200 ? [] : ['not ready']);
      expect(await settled(isReady, 10_000)).toEqual([]);
      for (const path of ['/livez', '/healthz', '/readyz', '/metrics'])
        expect((await ask(to, path)).status, path).toBe(200);
      const calls = [
        ['GET', '/v1/status'],
        ['GET', '/v1/credentials'],
        ['GET', '/v1/rotations'],
        ['POST', '/v1/scan'],
        ['POST', '/v1/pause'],
        ['POST', `/v1/credentials/data8/${CLIENT}/rotate`],
      ] as const;
      for (const [method, path] of calls) {
        const answer = await ask(to, path, { method, headers: { authorization: `Bearer ${TOKEN}` } });
        expect(answer.status, path).toBe(403);
        expect(answer.text).toContain('no-token-configured');
      }
      expect((await bare.ask('GET', '/v1/status')).status).toBe(200);
    } finally {
      await bare.close();
    }
  });
});
