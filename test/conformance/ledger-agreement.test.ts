import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CREDENTIAL_STATES } from '../../src/domain/credential-state.ts';
import { ROTATION_STATES } from '../../src/domain/rotation-state.ts';
import type { Ledger } from '../../src/ledger/contract.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';
import {
  NOW,
  sampleCredential,
  sampleDestination,
  sampleRotation,
  sampleSecret,
} from '../unit/ledger/sample-records.ts';
import { collect } from './ledger-reading.ts';
import { SqliteFixture } from '../unit/ledger/sqlite-fixture.ts';

// Few different values each, so that they meet: versions that match and that do not, names that are shared, equal times.
const issuer = fc.constantFrom('data8', 'x');
const clientId = fc.constantFrom('a', 'b', '🔑', '\ufffd');
const rotationId = fc.constantFrom('r1', 'r2', 'r3', 'r4');
const secretId = fc.constantFrom('1', '2', '3');
const version = fc.constantFrom(0, 0, 1, 1, 2, 3);
const instant = fc.constantFrom(NOW - 2, NOW - 1, NOW, NOW + 0.5, NOW + 1);
const orNull = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values, { nil: null });

const credential = fc
  .record({
    issuer,
    clientId,
    version,
    state: fc.constantFrom(...CREDENTIAL_STATES),
    dueAt: orNull(instant),
    resyncAt: instant,
    description: fc.string({ unit: 'binary' }),
    terms: fc.string(),
    current: orNull(fc.record({ secretId: orNull(secretId), generation: fc.nat(), expires: orNull(instant) })),
    secrets: fc.array(fc.record({ secretId, rotationId: orNull(rotationId) }), { maxLength: 2 }),
    destinations: fc.array(fc.record({ secretId: orNull(secretId) }), { maxLength: 2 }),
  })
  .map(({ secrets, destinations, ...rest }) =>
    sampleCredential({
      ...rest,
      secrets: secrets.map(sampleSecret),
      destinations: destinations.map(sampleDestination),
    }),
  );

/** What is fixed with a rotation's id, by the contract. Two of them began at the same time. */
const BORN: Readonly<Record<string, { issuer: string; clientId: string; startedAt: number }>> = {
  r1: { issuer: 'data8', clientId: 'a', startedAt: NOW - 1 },
  r2: { issuer: 'data8', clientId: '🔑', startedAt: NOW },
  r3: { issuer: 'x', clientId: '\ufffd', startedAt: NOW },
  r4: { issuer: 'data8', clientId: 'a', startedAt: NOW + 0.5 },
};

const rotation = fc
  .record({
    id: rotationId,
    version,
    state: fc.constantFrom(...ROTATION_STATES),
    finishedAt: orNull(instant),
    watchUntil: orNull(instant),
    secretId: orNull(secretId),
    note: orNull(fc.string({ unit: 'binary' })),
  })
  .map((given) => sampleRotation({ ...given, ...BORN[given.id] }));

const page = { limit: fc.integer({ min: 1, max: 4 }) };
const optional = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(values, { nil: undefined });

/** One call, which gives what the ledger answered. */
type Call = (ledger: Ledger) => Promise<unknown>;

const call: fc.Arbitrary<{ readonly name: string; readonly run: Call }> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({ credentials: fc.array(credential, { maxLength: 3 }), rotations: fc.array(rotation, { maxLength: 3 }) })
      .map((changes) => named('commit', changes, (ledger) => ledger.commit(changes))),
  },
  fc.record({ issuer, clientId }).map((key) => named('credential', key, (ledger) => ledger.credential(key))),
  issuer.map((of) => named('headers', of, (ledger) => collect(ledger.headers(of)))),
  fc
    .record({ ...page, issuer: optional(issuer), state: optional(fc.constantFrom(...CREDENTIAL_STATES)) })
    .map(({ limit, ...filter }) =>
      named('credentials', [limit, filter], (ledger) =>
        walk((cursor) => ledger.credentials(defined(filter), limit, cursor)),
      ),
    ),
  fc.constant(named('countsByState', null, (ledger) => ledger.countsByState())),
  rotationId.map((id) => named('rotation', id, (ledger) => ledger.rotation(id))),
  fc
    .record({
      ...page,
      issuer: optional(issuer),
      clientId: optional(clientId),
      state: optional(fc.constantFrom(...ROTATION_STATES)),
    })
    .map(({ limit, ...filter }) =>
      named('rotations', [limit, filter], (ledger) =>
        walk((cursor) => ledger.rotations(defined(filter), limit, cursor)),
      ),
    ),
  fc
    .record({ issuer, clientId, since: instant })
    .map(({ since, ...key }) =>
      named('relevantRotations', [key, since], (ledger) => ledger.relevantRotations(key, since)),
    ),
  fc.constant(named('inFlight', null, (ledger) => ledger.inFlight())),
  instant.map((since) => named('startedSince', since, (ledger) => ledger.startedSince(since))),
  instant.map((before) => named('prune', before, (ledger) => ledger.prune(before))),
  fc
    .record({ version, value: fc.jsonValue() })
    .map((note) => named('putNote', note, (ledger) => ledger.putNote('key', note))),
  fc.constant(named('note', null, (ledger) => ledger.note('key'))),
  fc.constant(named('check', null, (ledger) => ledger.check())),
);

function named(name: string, input: unknown, run: Call): { readonly name: string; readonly run: Call } {
  return { name: `${name} ${JSON.stringify(input)}`, run };
}

describe('memory and sqlite agree', () => {
  let fixture: SqliteFixture;
  beforeAll(() => {
    fixture = new SqliteFixture();
  });
  afterAll(() => fixture.dispose());

  it('on any sequence of calls', async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 30 }), async (calls) => {
        const memory = new MemoryLedger();
        const sqlite = await fixture.open(false, `${fixture.path}-${++runs}`);
        for (const { name, run } of calls) expect(await run(sqlite), name).toEqual(await run(memory));
        const reopened = await fixture.open(false, `${fixture.path}-${runs}`);
        const restored = MemoryLedger.from(structuredClone(memory.snapshot()));
        for (const { name, run } of calls) expect(await run(reopened), `again: ${name}`).toEqual(await run(restored));
        await sqlite.close();
        await reopened.close();
      }),
      { numRuns: 60 },
    );
  });

  it('and a memory ledger restored from a snapshot goes its own way', async () => {
    const memory = new MemoryLedger();
    await memory.commit({ rotations: [sampleRotation()] });
    const snapshot = memory.snapshot();
    await memory.commit({ rotations: [sampleRotation({ version: 1, state: 'created' })] });
    const restored = MemoryLedger.from(snapshot);
    expect(await restored.rotation(sampleRotation().id)).toMatchObject({ version: 1, state: 'intended' });
    expect(await memory.rotation(sampleRotation().id)).toMatchObject({ version: 2, state: 'created' });
  });
});

function defined<T extends object>(filter: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as never;
}

/** All pages, with their sizes. */
async function walk<T>(
  read: (cursor: string | null) => Promise<{ items: readonly T[]; nextCursor: string | null }>,
): Promise<(readonly T[])[]> {
  const pages: (readonly T[])[] = [];
  let cursor: string | null = null;
  do {
    const { items, nextCursor } = await read(cursor);
    pages.push(items);
    cursor = nextCursor;
  } while (cursor !== null);
  return pages;
}
