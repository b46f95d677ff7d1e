import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import type { Ledger } from '../../../src/ledger/contract.ts';
import { MemoryLedger } from '../../../src/ledger/memory.ts';
import type { CredentialRecord } from '../../../src/ledger/records.ts';
import { NOW, sampleCredential, sampleDestination, sampleRotation, sampleSecret } from './sample-records.ts';
import { SqliteFixture } from './sqlite-fixture.ts';

const VALUE = 'cAnaRy+/"value";=%&1';
/** The ways in which a value could have got into a file: raw, or escaped by what wrote it. */
const SHAPES = [
  VALUE,
  JSON.stringify(VALUE).slice(1, -1),
  encodeURIComponent(VALUE),
  Buffer.from(VALUE).toString('base64').slice(0, -4),
  Buffer.from(VALUE).toString('base64url').slice(0, -4),
  Buffer.from(VALUE).toString('hex'),
  VALUE.slice(0, 8),
];

describe('S1: no value of a secret gets into a ledger', () => {
  let fixture: SqliteFixture;
  beforeEach(() => {
    fixture = new SqliteFixture();
  });
  afterEach(() => fixture.dispose());

  it('sqlite: not in the file, its log or its index', async () => {
    const ledger = await fixture.open();
    await session(ledger);
    const folder = dirname(fixture.path);
    expect(readdirSync(folder)).toHaveLength(3);
    expectClean(readdirSync(folder).map((file) => readFileSync(join(folder, file))));
    await ledger.close();
    expectClean([readFileSync(fixture.path)]);
    expect(readFileSync(fixture.path).includes('[redacted]')).toBe(true);
  });

  it('memory: not in what it keeps', async () => {
    const ledger = new MemoryLedger();
    await session(ledger);
    expectClean([Buffer.from(JSON.stringify(ledger.snapshot()))]);
  });

  it('is not blind: it finds a value that is put in as plain text', async () => {
    const ledger = await fixture.open();
    await ledger.putNote('leak', { version: 0, value: VALUE });
    await ledger.close();
    expect(() => expectClean([readFileSync(fixture.path)])).toThrow();
  });
});

function expectClean(contents: readonly Buffer[]): void {
  for (const content of contents) {
    for (const shape of SHAPES) expect(content.includes(shape), shape).toBe(false);
  }
}

/** One rotation as the daemon records it, with the value handed to every place that takes anything at all by mistake. */
async function session(ledger: Ledger): Promise<void> {
  const value = SecretValue.of(VALUE);
  const careless = { generatedSecret: value, nested: { list: [value] } };
  const credential = sampleCredential({
    current: { secretId: '7', generation: 1, expires: NOW },
    secrets: [sampleSecret({ secretId: '7' })],
    destinations: [sampleDestination({ options: careless })],
    lastError: `the vault refused ${String(value)}`,
  });
  const mistaken: CredentialRecord = { ...credential, ...careless };
  await ledger.commit({
    credentials: [mistaken],
    rotations: [sampleRotation({ note: value.toString(), secretId: '7' })],
  });
  await ledger.putNote('breaker', { version: 0, value: { careless, text: value.toString() } });
  await ledger.check();
}
