import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { gcpSecretManagerVaultType } from '../../../src/vaults/gcp-secret-manager.ts';
import { lineOf, readAnnotations, writeAnnotations } from '../../../src/vaults/gcp-secret-manager/annotations.ts';
import { bytesOf, crc32c, textOf } from '../../../src/vaults/gcp-secret-manager/payload-bytes.ts';
import { ServiceRefusal, statusOf } from '../../../src/vaults/gcp-secret-manager/refusal.ts';

const { schema, nameProblem } = gcpSecretManagerVaultType;
const GLOBAL = 'projects/p/locations/global/keyRings/r/cryptoKeys/k';
const EUROPE = GLOBAL.replace('global', 'europe-west2');
const ANY = GLOBAL.replace('global', '{location}');

describe('options of gcp-secret-manager', () => {
  it.each([
    [{ project: 'example' }],
    [{ project: '123456789012' }],
    [{ project: 'example', endpoint: 'https://secretmanager-eu.p.googleapis.com' }],
    [{ project: 'example', endpoint: 'http://127.0.0.1:9090/' }],
    [{ project: 'example', kmsKey: GLOBAL }],
    [{ project: 'example', locations: ['europe-west2'], kmsKey: EUROPE }],
    [{ project: 'example', locations: ['europe-west2', 'us-east1'], kmsKey: ANY }],
  ])('takes %j', (options) => {
    expect(schema.safeParse(options).success).toBe(true);
  });

  it.each([
    [{}, 'project'],
    [{ project: 'projects/example' }, 'project'],
    [{ project: '../x' }, 'project'],
    [{ project: 'example', endpoint: 'http://example.com' }, 'endpoint'],
    [{ project: 'example', endpoint: 'https://example.com/path' }, 'endpoint'],
    [{ project: 'example', endpoint: 'https://user:secret@example.com' }, 'endpoint'],
    [{ project: 'example', locations: [] }, 'locations'],
    [{ project: 'example', locations: ['Europe'] }, 'locations'],
    [{ project: 'example', kmsKey: 'k' }, 'kmsKey'],
    [{ project: 'example', kmsKey: EUROPE }, 'kmsKey'],
    [{ project: 'example', locations: ['europe-west2', 'us-east1'], kmsKey: EUROPE }, 'kmsKey'],
    [{ project: 'example', region: 'europe-west2' }, undefined],
  ])('refuses %j', (options, key) => {
    expect(schema.safeParse(options).error?.issues[0]?.path[0]).toBe(key);
  });

  it.each(['a/b', 'a.b', 'a b', 'ä', 'x'.repeat(256)])('V10: a secret cannot be named %j', (name) => {
    expect(nameProblem(name)).toMatch(/secret/);
  });

  it.each(['prod-data8_Orders', '1', 'x'.repeat(255)])('a secret can be named %j', (name) => {
    expect(nameProblem(name)).toBeNull();
  });
});

describe('payloads as bytes', () => {
  it.each([
    ['', 0],
    ['123456789', 0xe3069283], // the check value of the CRC catalogues
  ])('CRC-32C of %j', (text, sum) => {
    expect(crc32c(Buffer.from(text))).toBe(sum);
  });

  it('CRC-32C of 32 zeros (RFC 3720, B.4)', () => {
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  });

  it('any text comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        expect(textOf(bytesOf(SecretValue.of(text)).data)?.reveal()).toBe(text);
      }),
    );
    expect(textOf(bytesOf(SecretValue.of('\ufeffx')).data)?.reveal()).toBe('\ufeffx');
  });
});

describe('marks in annotations', () => {
  const marks = fc.record({
    instance: fc.string(),
    issuer: fc.string(),
    credential: fc.string({ unit: 'grapheme' }),
    generation: fc.nat(),
    secretId: fc.string(),
    deliveredAt: fc.nat({ max: 4_102_444_800_000 }),
  });

  it('come back whole, beside those of others', () => {
    fc.assert(
      fc.property(marks, fc.string({ minLength: 1 }), (mark, value) => {
        const line = lineOf({ form: 'opaque', content: SecretValue.of(value) }, mark);
        const own = { lines: [{ ...line, number: 7 }], claim: { ...line, id: 'id', at: 5 } };
        const written = writeAnnotations({ owner: 'a', 'rekeyd-mark-3': 'old' }, own);
        expect(Object.keys(written ?? {}).sort()).toEqual(['owner', 'rekeyd-claim', 'rekeyd-mark-7']);
        expect(readAnnotations(written ?? {})).toEqual(own);
      }),
    );
  });

  it('are none where they cannot be read, and nobody else loses his', () => {
    const strange = {
      'rekeyd-mark-1': 'x',
      'rekeyd-mark-2': '{}',
      'rekeyd-mark-0': '{}',
      'rekeyd-mark-x': '{}',
      'rekeyd-claim': 'null',
      'rekeyd-note': 'mine',
    };
    expect(readAnnotations(strange)).toEqual({ lines: [], claim: null });
    const left = writeAnnotations(strange, { lines: [], claim: null });
    expect(Object.keys(left ?? {}).sort()).toEqual(['rekeyd-mark-0', 'rekeyd-mark-x', 'rekeyd-note']);
  });
});

describe("what the library's errors mean", () => {
  const wrapped = (cause: Error): Error => new Error('outer', { cause: new Error('inner', { cause }) });
  const withStatus = (httpStatusCode: number): Error => Object.assign(new Error('x'), { httpStatusCode });

  it.each([
    [wrapped(new ServiceRefusal(404, '{"error":{"status":"NOT_FOUND"}}')), 'NOT_FOUND'],
    [wrapped(new ServiceRefusal(404, '{"error":{"status":"SOMETHING_NEW"}}')), 'UNAVAILABLE'],
    [wrapped(new ServiceRefusal(404, 'null')), 'UNAVAILABLE'],
    [wrapped(new ServiceRefusal(429, '')), 'RESOURCE_EXHAUSTED'],
    [wrapped(new SyntaxError('x')), 'MALFORMED'],
    // of the token endpoint or the metadata server: never that a secret is not there
    [withStatus(404), 'UNAUTHENTICATED'],
    [withStatus(400), 'UNAUTHENTICATED'],
    [withStatus(403), 'PERMISSION_DENIED'],
    [withStatus(429), 'RESOURCE_EXHAUSTED'],
    [withStatus(503), 'UNAVAILABLE'],
    [new Error('x'), 'UNAVAILABLE'],
    ['thrown', 'UNAVAILABLE'],
  ])('%o', (error, status) => {
    expect(statusOf(error)).toBe(status);
  });
});
