import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { MINUTE } from '../../src/domain/time.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { Vault } from '../../src/vaults/contract.ts';
import { writeGcpKeyFile } from '../fakes/gcp-key-file.ts';
import { Refused } from '../fakes/gcp-secret-store.ts';
import { errorOf, openGcpBench, payload } from './gcp-secret-manager-bench.ts';
import type { GcpBench } from './gcp-secret-manager-bench.ts';
import { makeMark } from './vault-bench.ts';
import type { TestContext } from './vault-context.ts';

const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
const ref = { entry: 'orders', options: {} };

describe('gcp-secret-manager: a key file that is replaced', () => {
  let bench: GcpBench;
  let keyFile: string;
  let vault: Vault;
  let context: TestContext;

  beforeEach(async () => {
    bench = await openGcpBench();
    await bench.vault.deliver(ref, payload('value'), makeMark(1), ABSENT);
    bench.service.requests.length = 0;
    keyFile = join(bench.folder, 'replaced.json');
    writeGcpKeyFile(keyFile, 'first');
    ({ vault, context } = await bench.another({ keyFile }));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    await bench.close();
  });

  /** From now on the service takes the tokens of this key alone. */
  const accept = (id: string): void => {
    bench.service.interfere = ({ authorization }) =>
      keyOf(authorization) === id ? null : { refuse: new Refused(401, 'UNAUTHENTICATED', 'no') };
  };
  const keys = (): string[] => bench.service.requests.map(({ authorization }) => keyOf(authorization));

  it.each(['keyFile', 'GOOGLE_APPLICATION_CREDENTIALS'])('is read by the call after a refusal (%s)', async (named) => {
    if (named !== 'keyFile') {
      vi.stubEnv(named, keyFile);
      ({ vault, context } = await bench.another({ keyFile: null }));
    }
    accept('first');
    await vault.describe(ref);
    writeGcpKeyFile(keyFile, 'second');
    await vault.describe(ref);
    expect(new Set(keys())).toEqual(new Set(['first']));
    accept('second');
    expect(await errorOf(vault.describe(ref))).toMatchObject({
      fault: 'denied',
      message: expect.stringMatching(/read again/) as string,
    });
    expect(await vault.describe(ref)).toMatchObject({ state: 'present' });
    expect(keys().at(-1)).toBe('second');
  });

  it('is read by the call after the token endpoint refused it', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined); // the library's, of every file of this kind
    const exchanged: string[] = [];
    const endpoint = createServer((request, response) => {
      void text(request).then((body) => {
        const subject = new URLSearchParams(body).get('subject_token') ?? '';
        exchanged.push(subject);
        const refused = subject === 'first';
        const answer = refused
          ? { error: 'invalid_grant', error_description: 'no' }
          : { access_token: 'token', issued_token_type: TOKEN_TYPE, token_type: 'Bearer', expires_in: 3600 };
        response.writeHead(refused ? 400 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void endpoint.close());
    await once(endpoint, 'listening');
    const federate = (subject: string): void => {
      const file = join(bench.folder, subject);
      writeFileSync(file, subject);
      const federation = {
        type: 'external_account',
        audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/v1/token`,
        credential_source: { file },
      };
      writeFileSync(keyFile, JSON.stringify(federation));
    };
    federate('first');
    expect(await errorOf(vault.describe(ref))).toMatchObject({ fault: 'denied' });
    federate('second');
    expect(await vault.describe(ref)).toMatchObject({ state: 'present' });
    expect(exchanged).toEqual(['first', 'second']);
  });

  it('is read again once a minute at most', async () => {
    accept('third');
    await errorOf(vault.describe(ref));
    writeGcpKeyFile(keyFile, 'second');
    await errorOf(vault.describe(ref));
    writeGcpKeyFile(keyFile, 'third');
    await context.clock.advance(MINUTE - 1);
    await errorOf(vault.describe(ref));
    await context.clock.advance(1);
    await errorOf(vault.describe(ref));
    expect(keys()).toEqual(['first', 'second', 'second', 'second']);
    expect(await vault.describe(ref)).toMatchObject({ state: 'present' });
  });

  it('does not break what others are at meanwhile', async () => {
    accept('first');
    await vault.describe(ref);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    bench.service.interfere = ({ call }) => (call === 'get' ? { wait: promise } : null);
    const looking = vault.read(ref);
    await vi.waitUntil(() => keys().length > 2);
    writeGcpKeyFile(keyFile, 'second');
    accept('second');
    await Promise.all([errorOf(vault.read(ref)), errorOf(vault.read(ref))]);
    resolve(undefined);
    expect(await looking).toMatchObject({ state: 'present', binding: 'bound' });
    expect(keys().at(-1)).toBe('second');
  });
});

/** The id of the key that signed a token. */
function keyOf(authorization: string | undefined): string {
  const [header = ''] = (authorization ?? '').replace('Bearer ', '').split('.');
  return (JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }).kid;
}
