import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { EntryRef } from '../../src/vaults/contract.ts';
import { crc32c } from '../../src/vaults/gcp-secret-manager/payload-bytes.ts';
import { writeGcpKeyFile } from '../fakes/gcp-key-file.ts';
import { Refused } from '../fakes/gcp-secret-store.ts';
import { hatchCanary, leakIn } from './canary.ts';
import { errorOf, openGcpBench } from './gcp-secret-manager-bench.ts';
import type { GcpBench } from './gcp-secret-manager-bench.ts';
import { makeMark } from './vault-bench.ts';

const ref: EntryRef = { entry: 'orders', options: {} };
const payload = { form: 'opaque', content: SecretValue.of('value') } as const;
const SECRET = '{"name":"projects/1/secrets/orders","createTime":"2030-01-01T00:00:00Z","etag":"x"}';
const HTML = '<!doctype html><title>404</title>';

let bench: GcpBench;
beforeEach(async () => {
  bench = await openGcpBench();
});
afterEach(() => bench.close());

/** What every request is answered with. */
function answerAll(status: number, body: string, headers: Record<string, string> = {}): void {
  bench.service.interfere = () => ({ answer: { status, body, headers } });
}

function refuseAll(http: number, status: string, message = 'no'): void {
  bench.service.interfere = () => ({ refuse: new Refused(http, status, message) });
}

describe('gcp-secret-manager: what the service answers', () => {
  it.each([
    [
      'V15: a 403',
      403,
      'PERMISSION_DENIED',
      'denied',
      /secretmanager\.secrets\.get .*projects\/test-project\/secrets\/orders/,
    ],
    ['V15: a 401', 401, 'UNAUTHENTICATED', 'denied', /credentials/],
    ['V11: a used-up quota', 429, 'RESOURCE_EXHAUSTED', 'throttled', /requestsPerSecond/],
    ['a 500', 500, 'INTERNAL', 'unavailable', /UNAVAILABLE/],
    ['a 503', 503, 'UNAVAILABLE', 'unavailable', /UNAVAILABLE/],
    ['a 504', 504, 'DEADLINE_EXCEEDED', 'unavailable', /UNAVAILABLE/],
    ['an argument that it does not take', 400, 'INVALID_ARGUMENT', 'rejected', /check project/],
  ] as const)('%s (%i %s) is %s, and is asked once', async (_, http, status, fault, message) => {
    refuseAll(http, status);
    const error = await errorOf(bench.vault.describe(ref, { prove: true }));
    expect(error).toMatchObject({ fault, vault: 'gcp-0', entry: 'orders' });
    expect(error.message).toMatch(message);
    expect(error.message).toContain("Vault 'gcp-0', entry 'orders'");
    const calls = bench.service.requests.map(({ call }) => call);
    // the credentials' own code may make a new token and ask once more
    expect(calls.length).toBeLessThanOrEqual(http === 401 || http === 403 ? 2 : 1);
  });

  it.each([
    ['HTML', 404, HTML],
    ['nothing', 404, ''],
    ['JSON that is not of the service', 404, '{"message":"no Route matched"}'],
    ['an error without status', 404, '{"error":{"code":404,"message":"not here"}}'],
    ['HTML', 502, HTML],
    ['HTML', 200, HTML],
    ['an empty object', 200, '{}'],
    ['a list', 200, '[]'],
    ['more than anything of the service', 200, SECRET + ' '.repeat(2_000_000)],
  ])('V15: %s with status %i is an error, never absence', async (_, status, body) => {
    const calls = status === 200 && body.startsWith(SECRET) ? ['get'] : ['get', 'access', 'version'];
    bench.service.interfere = ({ call }) => (calls.includes(call) ? { answer: { status, body } } : null);
    for (const prove of [true, false]) {
      const { fault } = await errorOf(bench.vault.describe(ref, { prove }));
      expect(['unavailable', 'malformed']).toContain(fault);
    }
  });

  it('V15: a secret that may not be seen is denied, never absent, on writing too', async () => {
    refuseAll(403, 'PERMISSION_DENIED', "Permission 'secretmanager.versions.access' denied (or it may not exist).");
    expect(await errorOf(bench.vault.deliver(ref, payload, makeMark(1), ABSENT))).toMatchObject({ fault: 'denied' });
    expect(bench.service.store.secrets.size).toBe(0);
  });

  it.each([
    ['create', 'secretmanager.secrets.create on projects/test-project,'],
    ['addVersion', 'secretmanager.versions.add on projects/test-project/secrets/orders'],
    ['update', 'secretmanager.secrets.update on projects/test-project/secrets/orders'],
  ])('names the right that is missing for %s', async (call, right) => {
    bench.service.interfere = (request) =>
      request.call === call ? { refuse: new Refused(403, 'PERMISSION_DENIED', 'no') } : null;
    const error = await errorOf(bench.vault.deliver(ref, payload, makeMark(1), ABSENT));
    expect(error.message).toContain(right);
  });

  it('S1: keeps nothing of an answer that quotes a value', async () => {
    const canary = hatchCanary();
    for (const status of [400, 401, 403, 404, 409, 429, 500]) {
      refuseAll(status, 'INVALID_ARGUMENT', `cannot store ${canary.text}`);
      const content = SecretValue.of(canary.text);
      const error = await errorOf(bench.vault.deliver(ref, { form: 'opaque', content }, makeMark(1), ABSENT));
      expect(leakIn(error, [canary])).toBeNull();
      expect(error.cause).toBeUndefined();
    }
    answerAll(200, canary.text);
    expect(leakIn(await errorOf(bench.vault.read(ref)), [canary])).toBeNull();
    expect(leakIn(bench.context.printed(), [canary])).toBeNull();
  });

  it('gives up when it is told to, while the service says nothing', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    bench.service.interfere = () => ({ wait: promise });
    const reason = new Error('enough');
    const stop = new AbortController();
    const look = bench.vault.describe(ref, {}, stop.signal);
    await vi.waitUntil(() => bench.service.requests.length > 0);
    stop.abort(reason);
    await expect(look).rejects.toBe(reason);
    resolve(undefined);
  });
});

describe('gcp-secret-manager: damage on the way', () => {
  it('sends the checksum of what it sends', async () => {
    await bench.vault.deliver(ref, payload, makeMark(1), ABSENT);
    const { body } = bench.service.requests.find(({ call }) => call === 'addVersion')!;
    const dataCrc32c = String(crc32c(Buffer.from('value')));
    expect(JSON.parse(body)).toMatchObject({ payload: { dataCrc32c } });
  });

  it('takes nothing whose checksum is another', async () => {
    await bench.vault.deliver(ref, payload, makeMark(1), ABSENT);
    const name = 'projects/1/secrets/orders/versions/1';
    const body = JSON.stringify({ name, payload: { data: Buffer.from('valve').toString('base64'), dataCrc32c: '1' } });
    bench.service.interfere = ({ call }) => (call === 'access' ? { answer: { status: 200, body } } : null);
    expect(await errorOf(bench.vault.read(ref))).toMatchObject({ fault: 'malformed' });
    expect(await errorOf(bench.vault.describe(ref, { prove: true }))).toMatchObject({ fault: 'malformed' });
  });

  it('reads back what the service does not say that it checked, before it binds it', async () => {
    const unchecked = (data: string) => {
      bench.service.interfere = ({ call, secret }) => {
        if (call !== 'addVersion') return null;
        const number = bench.service.store.add(secret, Buffer.from(data), undefined);
        const json = bench.service.store.versionJson(secret, String(number));
        return { answer: { status: 200, body: JSON.stringify(json) } };
      };
    };
    unchecked('valve');
    expect(await errorOf(bench.vault.deliver(ref, payload, makeMark(1), ABSENT))).toMatchObject({ fault: 'malformed' });
    const seen = await bench.vault.describe(ref, { prove: true });
    expect(seen).toMatchObject({ binding: 'broken' });
    unchecked('value');
    await bench.vault.deliver(ref, payload, makeMark(1), seen.state === 'present' ? seen.version : ABSENT);
    expect(await bench.vault.describe(ref, { prove: true })).toMatchObject({ binding: 'bound', mark: makeMark(1) });
  });
});

describe('gcp-secret-manager: credentials', () => {
  it('sends a token with every request', async () => {
    await bench.vault.deliver(ref, payload, makeMark(1), ABSENT);
    for (const { authorization } of bench.service.requests) expect(authorization).toMatch(/^Bearer ey/);
  });

  it.each([301, 302, 303, 307, 308])(
    'S9: follows no redirect (%i), neither with a token nor with a value',
    async (status) => {
      const asked: string[] = [];
      const elsewhere = createServer((request, response) => {
        asked.push(request.url ?? '');
        response.end('{}');
      });
      elsewhere.listen(0, '127.0.0.1');
      await once(elsewhere, 'listening');
      const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/v1/elsewhere`;
      const redirect = { answer: { status, body: '', headers: { location } } };
      bench.service.interfere = () => redirect;
      expect(await errorOf(bench.vault.read(ref))).toMatchObject({ fault: 'unavailable' });
      bench.service.interfere = ({ call }) => (call === 'addVersion' ? redirect : null);
      expect(await errorOf(bench.vault.deliver(ref, payload, makeMark(1), ABSENT))).toMatchObject({
        fault: 'unavailable',
      });
      expect(asked).toEqual([]);
      elsewhere.close();
    },
  );

  it('says what is wrong with a key file, quotes nothing of it, and works as soon as it is right', async () => {
    const keyFile = join(bench.folder, 'other.json');
    const { vault } = await bench.another({ keyFile });
    const canary = hatchCanary();
    const broken = [
      [null, /ENOENT/],
      [`not JSON ${canary.text}`, /not JSON/],
      [JSON.stringify({ type: 'gdch', private_key: canary.text }), /type/],
      [JSON.stringify({ type: 'service_account', private_key: canary.text }), /credentials/],
    ] as const;
    for (const [text, message] of broken) {
      if (text === null) rmSync(keyFile, { force: true });
      else writeFileSync(keyFile, text);
      const error = await errorOf(vault.describe(ref));
      expect(error).toMatchObject({ fault: 'denied', message: expect.stringMatching(message) as string });
      expect(leakIn(error, [canary])).toBeNull();
    }
    writeGcpKeyFile(keyFile);
    expect(await vault.describe(ref)).toEqual({ state: 'absent' });
  });

  it("S1: switches the library's own log off, which prints requests whole", async () => {
    const printed: unknown[] = [];
    const keep = (...given: unknown[]): void => void printed.push(...given);
    const spies = (['error', 'warn', 'log', 'info'] as const).map((way) =>
      vi.spyOn(console, way).mockImplementation(keep),
    );
    vi.stubEnv('GOOGLE_SDK_NODE_LOGGING', '*');
    try {
      const { vault, context } = await bench.another();
      await vault.deliver(ref, payload, makeMark(1), ABSENT);
      expect(context.printed()).toContain('GOOGLE_SDK_NODE_LOGGING');
    } finally {
      vi.unstubAllEnvs();
      for (const spy of spies) spy.mockRestore();
    }
    expect(printed).toEqual([]);
  });
});

describe('gcp-secret-manager: rights', () => {
  it('tells each right by testIamPermissions, and nothing of what is not there', async () => {
    await bench.vault.deliver(ref, payload, makeMark(1), ABSENT);
    bench.service.requests.length = 0;
    bench.service.granted = (permission) => permission !== 'secretmanager.versions.add';
    const rights = await bench.vault.rights([ref, { entry: 'not-there', options: {} }]);
    expect(Object.fromEntries(rights.map(({ right, status }) => [right, status]))).toEqual({
      reached: 'ok',
      'secretmanager.secrets.get': 'ok',
      'secretmanager.secrets.update': 'ok',
      'secretmanager.versions.add': 'missing',
      'secretmanager.versions.get': 'ok',
      'secretmanager.versions.access': 'ok',
      'secretmanager.versions.disable': 'ok',
      'secretmanager.secrets.create': 'unknown',
    });
    expect(new Set(bench.service.requests.map(({ call }) => call))).toEqual(new Set(['testIamPermissions']));
  });

  it('is not reached where the service refuses us', async () => {
    refuseAll(503, 'UNAVAILABLE');
    expect(await bench.vault.rights([ref])).toEqual([
      { right: 'reached', status: 'missing', hint: expect.stringContaining('permissions failed') as string },
    ]);
  });
});
