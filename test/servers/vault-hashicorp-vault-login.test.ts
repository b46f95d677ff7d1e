import { createSign, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { KvHands } from '../conformance/kv-hands.ts';
import { freePort, startProgram } from './local-program.ts';
import { OpenBaoBench } from './openbao-bench.ts';
import { openMount } from './openbao-mount.ts';
import { openbao } from './openbao.ts';
import type { OpenBaoAccess } from './openbao.ts';
import { provideServer } from './provided-server.ts';
import type { RunningServer } from './provided-server.ts';

const provided = await provideServer(openbao);

if (provided.how === 'none') {
  describe('vault hashicorp-vault, logging in', () => {
    it.skip(`[skipped: ${provided.reason}]`);
  });
} else describeLogins(provided.server, provided.how === 'program');

/** @param near whether the server runs on this machine, so that it reaches what a test serves, and its program is here. */
function describeLogins(server: RunningServer<OpenBaoAccess>, near: boolean): void {
  const nearby = (title: string, run: () => Promise<void>): void => {
    if (near) it(title, run);
    else it.skip(`${title} [skipped: the server does not run on this machine]`);
  };
  let bench: OpenBaoBench;
  const hands = (): KvHands => bench.mount.hands;

  beforeAll(async () => {
    bench = await OpenBaoBench.open(server.access);
  });
  afterEach(() => bench.clear());
  afterAll(async () => {
    await bench.close();
    await server.stop();
  });

  const enable = async (method: string, path: string): Promise<() => Promise<void>> => {
    await hands().must('POST', `sys/auth/${path}`, { type: method });
    return async () => {
      await hands().must('DELETE', `sys/auth/${path}`);
    };
  };

  describe('vault hashicorp-vault logs in', () => {
    it('by AppRole, also after its token was revoked, and gives the token back', async () => {
      const path = `approle-${bench.mount.name}`;
      const disable = await enable('approle', path);
      const role = `auth/${path}/role/rekeyd`;
      const settings = { token_policies: [bench.mount.name], token_no_default_policy: true, token_ttl: '1h' };
      await hands().must('POST', role, settings);
      const roleId = ((await hands().must('GET', `${role}/role-id`)).body['data'] as { role_id: string }).role_id;
      const secret = await hands().must('POST', `${role}/secret-id`, {});
      const secretId = (secret.body['data'] as { secret_id: string }).secret_id;
      const vault = await bench.connect({ method: 'approle', mount: path, roleId, secretId });
      await bench.expectWorking(vault);
      const tokens = async (): Promise<number> => {
        const { body } = await hands().ask('LIST', 'auth/token/accessors');
        return (body['data'] as { keys: string[] }).keys.length;
      };
      const before = await tokens();
      await hands().must('PUT', `sys/leases/revoke-prefix/auth/${path}/login`, {});
      await vault.describe(bench.ref);
      expect(await tokens()).toBe(before);
      await vault.close();
      expect(await tokens()).toBe(before - 1);
      const wrong = await bench.connect({ method: 'approle', mount: path, roleId, secretId: 'wrong' });
      expect(await bench.failure(wrong.describe(bench.ref))).toMatchObject({ fault: 'denied' });
      await disable();
    });

    it('by JWT, from a file', async () => {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const path = `jwt-${bench.mount.name}`;
      const disable = await enable('jwt', path);
      const pem = publicKey.export({ type: 'spki', format: 'pem' });
      await hands().must('POST', `auth/${path}/config`, { jwt_validation_pubkeys: [pem] });
      await hands().must('POST', `auth/${path}/role/rekeyd`, {
        role_type: 'jwt',
        user_claim: 'sub',
        bound_audiences: ['vault'],
        token_policies: [bench.mount.name],
        token_no_default_policy: true,
      });
      const jwt = (audience: string): string =>
        jwtOf({ sub: 'rekeyd', aud: audience }, (text) =>
          createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url'),
        );
      await bench.expectWorking(
        await bench.connect({
          method: 'jwt',
          mount: path,
          role: 'rekeyd',
          tokenFile: await bench.file('jwt', jwt('vault')),
        }),
      );
      const other = await bench.file('other', jwt('elsewhere'));
      const stranger = await bench.connect({ method: 'jwt', mount: path, role: 'rekeyd', tokenFile: other });
      expect(await bench.failure(stranger.describe(bench.ref))).toMatchObject({ fault: 'denied' });
      await disable();
    });

    nearby('by Kubernetes, as a service account that the cluster vouches for', async () => {
      const account = { namespace: 'rekeyd', serviceaccount: { name: 'rekeyd', uid: 'an-uid' } };
      const token = jwtOf({ 'kubernetes.io': account, sub: 'system:serviceaccount:rekeyd:rekeyd' });
      const cluster = await startTokenReviews(token);
      const path = `kubernetes-${bench.mount.name}`;
      const disable = await enable('kubernetes', path);
      await hands().must('POST', `auth/${path}/config`, {
        kubernetes_host: `http://127.0.0.1:${(cluster.address() as AddressInfo).port}`,
        token_reviewer_jwt: 'reviewer',
        disable_local_ca_jwt: true,
        kubernetes_ca_cert: rootCertificates[0], // it must be one, though no TLS is asked for
      });
      await hands().must('POST', `auth/${path}/role/rekeyd`, {
        bound_service_account_names: ['rekeyd'],
        bound_service_account_namespaces: ['rekeyd'],
        token_policies: [bench.mount.name],
        token_no_default_policy: true,
      });
      await bench.expectWorking(
        await bench.connect({
          method: 'kubernetes',
          mount: path,
          role: 'rekeyd',
          tokenFile: await bench.file('pod', token),
        }),
      );
      await disable();
      cluster.close();
    });

    it('in a namespace, and above it', async () => {
      const name = `team-${bench.mount.name}`;
      await hands().must('POST', `sys/namespaces/${name}`, {});
      const inner = await openMount({ ...bench.access, namespace: name });
      const token = await inner.token();
      await bench.expectWorking(
        await bench.connect({ method: 'token', token }, { mount: inner.name, namespace: name }),
      );
      expect(await inner.hands.get(bench.ref.entry)).toEqual({ value: 'a value' });
      const root = { method: 'token', token: bench.access.token };
      const above = await bench.connect(root, { mount: inner.name, namespace: name });
      expect(await above.read(bench.ref)).toMatchObject({ binding: 'bound' });
      const nowhere = await bench.withToken({ namespace: 'none' });
      expect(await bench.failure(nowhere.describe(bench.ref))).toMatchObject({ fault: 'unavailable' });
      await inner.remove();
      await hands().must('DELETE', `sys/namespaces/${name}`);
    });

    nearby('over TLS, with the CA that the file names, and not without', async () => {
      const certificates = await mkdtemp(join(tmpdir(), 'rekeyd-vault-tls-'));
      const port = await freePort();
      const program = await startProgram(
        bench.access.program ?? '',
        [
          'server',
          '-dev-tls',
          `-dev-tls-cert-dir=${certificates}`,
          `-dev-listen-address=127.0.0.1:${port}`,
          '-dev-root-token-id=root',
        ],
        {
          env: { HOME: certificates },
          cwd: certificates,
          ready: async () => (await readdir(certificates)).includes('vault-ca.pem') && (await listens(port)),
        },
      );
      const url = `https://127.0.0.1:${port}`;
      const auth = { method: 'token', token: 'root' };
      const trusting = await bench.connect(auth, { url, mount: 'secret', caFile: join(certificates, 'vault-ca.pem') });
      await bench.expectWorking(trusting);
      const error = await bench.failure((await bench.connect(auth, { url, mount: 'secret' })).describe(bench.ref));
      expect(error).toMatchObject({ fault: 'unavailable', message: expect.stringContaining('caFile') as string });
      await program.stop();
      await rm(certificates, { recursive: true });
    });
  });
}

/** A JWT of these claims. @param sign of the first two parts; default: none that holds. */
function jwtOf(claims: object, sign: (text: string) => string = () => 'unsigned'): string {
  const part = (object: object): string => Buffer.from(JSON.stringify(object)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iat: now, nbf: now, exp: now + 300, ...claims })}`;
  return `${text}.${sign(text)}`;
}

/** The one call of a Kubernetes API server that the login needs: it vouches for `token`, and for no other. */
async function startTokenReviews(token: string): Promise<Server> {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const asked = (JSON.parse(text) as { spec: { token: string } }).spec.token;
      const user = {
        username: 'system:serviceaccount:rekeyd:rekeyd',
        uid: 'an-uid',
        groups: ['system:serviceaccounts'],
      };
      const status = asked === token ? { authenticated: true, user } : { authenticated: false };
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status };
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(review));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Whether anybody listens there. */
async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
