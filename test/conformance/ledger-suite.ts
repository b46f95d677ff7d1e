import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerError } from '../../src/domain/errors.ts';
import type { Ledger, Page } from '../../src/ledger/contract.ts';
import { CursorError } from '../../src/ledger/store/cursor.ts';
import {
  NOW,
  sampleCredential,
  sampleDestination,
  sampleRotation,
  sampleSecret,
} from '../unit/ledger/sample-records.ts';

/** A ledger under test, empty at first. */
export interface LedgerUnderTest {
  readonly ledger: Ledger;
  /** The same contents through another opening, as another process has it; the same object where there is no such thing. */
  other(): Promise<Ledger>;
  /** Closes all and removes what was made. */
  dispose(): Promise<void>;
}

/** What every ledger must do. A new one calls this in a test file of its own. */
export function describeLedger(name: string, make: () => Promise<LedgerUnderTest>): void {
  describe(`ledger ${name}`, () => {
    let under: LedgerUnderTest;
    let ledger: Ledger;

    beforeEach(async () => {
      under = await make();
      ledger = under.ledger;
    });
    afterEach(() => under.dispose());

    it('starts empty', async () => {
      expect(ledger.setAside).toBeNull();
      expect(await ledger.credential({ issuer: 'data8', clientId: 'client-a' })).toBeNull();
      expect(await ledger.rotation('none')).toBeNull();
      expect(await ledger.note('none')).toBeNull();
      expect(await collect(ledger.headers('data8'))).toEqual([]);
      expect(await ledger.credentials({}, 10, null)).toEqual({ items: [], nextCursor: null });
      expect(await ledger.rotations({}, 10, null)).toEqual({ items: [], nextCursor: null });
      expect(await ledger.countsByState()).toEqual([]);
      expect(await ledger.inFlight()).toEqual([]);
      expect(await ledger.relevantRotations({ issuer: 'data8', clientId: 'client-a' }, 0)).toEqual([]);
      expect(await ledger.startedSince(0)).toBe(0);
      expect(await ledger.prune(NOW)).toBe(0);
    });

    describe('commit', () => {
      it('stores whole records, each one version on', async () => {
        const credential = sampleCredential({
          generation: 3,
          current: { secretId: '101', generation: 3, expires: NOW + 5 },
          secrets: [sampleSecret(), sampleSecret({ secretId: '100', role: 'superseded', deleteAfter: NOW + 0.5 })],
          destinations: [
            sampleDestination({ options: JSON.parse('{"__proto__":{"a":1},"mode":"0640"}') as object as never }),
          ],
          pause: { since: NOW, until: null, note: 'Ünïcode \u2028 "quoted" 🔑' },
        });
        const rotation = sampleRotation({ supersedes: ['100'], note: 'by hand' });
        expect(await ledger.commit({ credentials: [credential], rotations: [rotation] })).toBe(true);
        const other = await under.other();
        expect(await other.credential(credential)).toEqual({ ...credential, version: 1 });
        expect(await other.rotation(rotation.id)).toEqual({ ...rotation, version: 1 });
      });

      it('takes an update only of the stored version', async () => {
        const credential = sampleCredential();
        expect(await ledger.commit({ credentials: [{ ...credential, version: 1 }] })).toBe(false);
        expect(await ledger.commit({ credentials: [credential] })).toBe(true);
        expect(await ledger.commit({ credentials: [credential] })).toBe(false);
        expect(await ledger.commit({ credentials: [{ ...credential, version: 2 }] })).toBe(false);
        expect(await ledger.commit({ credentials: [{ ...credential, version: 1, failures: 7 }] })).toBe(true);
        expect(await ledger.credential(credential)).toMatchObject({ version: 2, failures: 7 });

        const rotation = sampleRotation();
        expect(await ledger.commit({ rotations: [{ ...rotation, version: -1 }] })).toBe(false);
        expect(await ledger.commit({ rotations: [rotation] })).toBe(true);
        expect(await ledger.commit({ rotations: [rotation] })).toBe(false);
        expect(await ledger.commit({ rotations: [{ ...rotation, version: 1, state: 'created' }] })).toBe(true);
        expect(await ledger.rotation(rotation.id)).toMatchObject({ version: 2, state: 'created' });
      });

      it('stores all or nothing', async () => {
        const a = sampleCredential({ clientId: 'a' });
        const b = sampleCredential({ clientId: 'b' });
        await ledger.commit({ credentials: [b] });
        const rotation = sampleRotation();
        // b is stale: neither a nor the rotation may be stored, whatever their order
        expect(await ledger.commit({ credentials: [a, b], rotations: [rotation] })).toBe(false);
        expect(await ledger.commit({ credentials: [b, a], rotations: [rotation] })).toBe(false);
        expect(await ledger.credential(a)).toBeNull();
        expect(await ledger.rotation(rotation.id)).toBeNull();
        // a stale rotation undoes the credentials before it
        expect(await ledger.commit({ credentials: [a], rotations: [{ ...rotation, version: 4 }] })).toBe(false);
        expect(await ledger.credential(a)).toBeNull();
        expect(await ledger.commit({ credentials: [a, { ...b, version: 1 }], rotations: [rotation] })).toBe(true);
        expect(await ledger.credential(b)).toMatchObject({ version: 2 });
      });

      it('takes no changes at all as done', async () => {
        expect(await ledger.commit({})).toBe(true);
        expect(await ledger.commit({ credentials: [], rotations: [] })).toBe(true);
      });

      it('P6: of many commits of one version exactly one wins', async () => {
        const other = await under.other();
        await ledger.commit({ rotations: [sampleRotation()] });
        for (let version = 1; version <= 5; version += 1) {
          const results = await Promise.all(
            Array.from({ length: 8 }, (_, at) =>
              (at % 2 === 0 ? ledger : other).commit({
                rotations: [sampleRotation({ version, owner: `process-${at}` })],
              }),
            ),
          );
          expect(results.filter(Boolean)).toHaveLength(1);
          const winner = `process-${results.indexOf(true)}`;
          expect(await other.rotation(sampleRotation().id)).toMatchObject({ version: version + 1, owner: winner });
        }
      });

      it('shares nothing with the caller', async () => {
        const steps = [{ step: 'intend' as const, at: NOW, outcome: 'ok' as const }];
        await ledger.commit({ rotations: [sampleRotation({ steps })] });
        steps.push({ step: 'create' as never, at: NOW, outcome: 'ok' });
        const first = await ledger.rotation(sampleRotation().id);
        expect(first?.steps).toHaveLength(1);
        (first?.steps as unknown[]).length = 0;
        expect((await ledger.rotation(sampleRotation().id))?.steps).toHaveLength(1);
      });

      it('refuses keys that would not be kept as they are', async () => {
        const broken = sampleCredential({ clientId: 'a\ud800' });
        await expect(ledger.commit({ credentials: [broken] })).rejects.toThrow(LedgerError);
        await expect(ledger.putNote('a\ud800', { version: 0, value: 1 })).rejects.toThrow(LedgerError);
      });

      it('refuses what is no plain JSON, and stores nothing of it', async () => {
        const circular: Record<string, unknown> = {};
        circular['self'] = circular;
        const broken = sampleCredential({ destinations: [sampleDestination({ options: circular })] });
        await expect(ledger.commit({ credentials: [sampleCredential({ clientId: 'x' }), broken] })).rejects.toThrow(
          LedgerError,
        );
        expect(await ledger.credentials({}, 10, null)).toMatchObject({ items: [] });
      });
    });

    describe('credentials', () => {
      // U+FFFD comes before an emoji by code point, and after it by UTF-16 unit
      const order = ['', 'A', 'a', 'a\u0000b', 'a/b', 'aa', 'b', 'é', '\ufffd', '🔑'];

      it('streams headers of one issuer in the order of clientId', async () => {
        const credentials = [...order].reverse().map((clientId, at) =>
          sampleCredential({
            clientId,
            description: `description ${at}`,
            terms: `terms ${at}`,
            dueAt: at === 0 ? null : NOW + at + 0.25,
            resyncAt: NOW - at,
            state: at % 2 === 0 ? 'ok' : 'failing',
            current: at % 3 === 0 ? null : { secretId: null, generation: 0, expires: at % 3 === 1 ? null : NOW + at },
          }),
        );
        await ledger.commit({ credentials: [...credentials, sampleCredential({ issuer: 'other', clientId: 'a' })] });
        expect(await collect(ledger.headers('data8'))).toEqual(
          credentials.reverse().map(({ clientId, description, terms, state, dueAt, resyncAt, current }) => ({
            clientId,
            description,
            terms,
            state,
            dueAt,
            resyncAt,
            expires: current?.expires ?? null,
          })),
        );
        expect(await collect(ledger.headers('none'))).toEqual([]);
      });

      it('streams many headers, while commits go on, each credential once', async () => {
        const ids = Array.from({ length: 2_500 }, (_, at) => `client-${String(at).padStart(5, '0')}`);
        await ledger.commit({ credentials: ids.map((clientId) => sampleCredential({ clientId })) });
        const other = await under.other();
        const seen: string[] = [];
        for await (const { clientId } of ledger.headers('data8')) {
          seen.push(clientId);
          if (seen.length % 500 === 0) {
            const writer = seen.length % 1_000 === 0 ? ledger : other;
            expect(await writer.commit({ credentials: [sampleCredential({ clientId, version: 1 })] })).toBe(true);
          }
        }
        expect(seen).toEqual(ids);
      });

      it('pages in the order of (issuer, clientId), with filters', async () => {
        await ledger.commit({
          credentials: ['x', 'data8'].flatMap((issuer) =>
            order.map((clientId, at) => sampleCredential({ issuer, clientId, state: at % 3 === 0 ? 'blocked' : 'ok' })),
          ),
        });
        const keys = async (filter: object, limit: number): Promise<string[][]> =>
          (await pages((cursor) => ledger.credentials(filter, limit, cursor))).map((record) => [
            record.issuer,
            record.clientId,
          ]);
        const all = ['data8', 'x'].flatMap((issuer) => order.map((clientId) => [issuer, clientId]));
        const blocked = order.filter((_, at) => at % 3 === 0);
        for (const limit of [1, 3, 10, 20, 21]) {
          expect(await keys({}, limit)).toEqual(all);
          expect(await keys({ issuer: 'x' }, limit)).toEqual(order.map((clientId) => ['x', clientId]));
          expect(await keys({ issuer: 'x', state: 'blocked' }, limit)).toEqual(
            blocked.map((clientId) => ['x', clientId]),
          );
          expect(await keys({ state: 'blocked' }, limit)).toEqual(
            ['data8', 'x'].flatMap((issuer) => blocked.map((clientId) => [issuer, clientId])),
          );
        }
        expect(await keys({ state: 'grace' }, 5)).toEqual([]);
      });

      it('pages stay valid while records change', async () => {
        const make = (clientId: string) => sampleCredential({ clientId });
        await ledger.commit({ credentials: ['b', 'd', 'f', 'h'].map(make) });
        const first = await ledger.credentials({}, 2, null);
        expect(first.items.map((record) => record.clientId)).toEqual(['b', 'd']);
        // one before, one behind the cursor are new; the one that the cursor stands on is changed
        await ledger.commit({ credentials: [make('a'), make('e'), { ...make('d'), version: 1, state: 'failing' }] });
        const second = await ledger.credentials({}, 10, first.nextCursor);
        expect(second.items.map((record) => record.clientId)).toEqual(['e', 'f', 'h']);
        expect(second.nextCursor).toBeNull();
      });

      it('counts by issuer and state', async () => {
        await ledger.commit({
          credentials: [
            sampleCredential({ issuer: 'b', clientId: '1', state: 'ok' }),
            sampleCredential({ issuer: 'a', clientId: '1', state: 'ok' }),
            sampleCredential({ issuer: 'a', clientId: '2', state: 'failing' }),
            sampleCredential({ issuer: 'a', clientId: '3', state: 'ok' }),
          ],
        });
        await ledger.commit({
          credentials: [sampleCredential({ issuer: 'b', clientId: '1', version: 1, state: 'due' })],
        });
        expect(await ledger.countsByState()).toEqual([
          { issuer: 'a', state: 'failing', count: 1 },
          { issuer: 'a', state: 'ok', count: 2 },
          { issuer: 'b', state: 'due', count: 1 },
        ]);
      });
    });

    describe('cursors and limits', () => {
      it('refuses a cursor that is not of the listing, as CursorError', async () => {
        await ledger.commit({
          credentials: ['a', 'b'].map((clientId) => sampleCredential({ clientId })),
          rotations: ['1', '2'].map((id) => sampleRotation({ id })),
        });
        const ofCredentials = (await ledger.credentials({}, 1, null)).nextCursor;
        const ofRotations = (await ledger.rotations({}, 1, null)).nextCursor;
        expect(ofCredentials).toMatch(/^[\w-]+$/);
        const garbage = [
          '',
          'x',
          '%%%',
          '[]',
          btoa('["credentials"]'),
          `${String(ofCredentials)}=`,
          'bnVsbA',
          'A'.repeat(5_000),
        ];
        for (const cursor of [...garbage, ofRotations]) {
          await expect(ledger.credentials({}, 1, cursor)).rejects.toThrow(CursorError);
        }
        for (const cursor of [...garbage, ofCredentials]) {
          await expect(ledger.rotations({}, 1, cursor)).rejects.toThrow(CursorError);
        }
        await expect(ledger.credentials({ issuer: 'x' }, 1, ofCredentials)).rejects.toThrow(CursorError);
        await expect(ledger.rotations({ state: 'done' }, 1, ofRotations)).rejects.toThrow(CursorError);
        expect(new CursorError()).toBeInstanceOf(LedgerError);
      });

      it.each([0, -1, 1.5, Number.NaN])('refuses a page of %s', async (limit) => {
        await expect(ledger.credentials({}, limit, null)).rejects.toThrow(LedgerError);
        await expect(ledger.rotations({}, limit, null)).rejects.toThrow(LedgerError);
      });
    });

    describe('rotations', () => {
      it('lists newest first, those of one moment by id, with filters', async () => {
        const rotations = [
          sampleRotation({ id: 'r1', startedAt: NOW, state: 'done' }),
          sampleRotation({ id: 'r3', startedAt: NOW + 5 }),
          sampleRotation({ id: 'r2', startedAt: NOW + 5, clientId: 'client-b' }),
          sampleRotation({ id: 'r0', startedAt: NOW + 9, issuer: 'other', state: 'done' }),
          sampleRotation({ id: 'r9', startedAt: NOW - 9.5, state: 'grace' }),
        ];
        await ledger.commit({ rotations });
        const ids = async (filter: object, limit: number): Promise<string[]> =>
          (await pages((cursor) => ledger.rotations(filter, limit, cursor))).map((rotation) => rotation.id);
        for (const limit of [1, 2, 5, 6]) {
          expect(await ids({}, limit)).toEqual(['r0', 'r3', 'r2', 'r1', 'r9']);
          expect(await ids({ issuer: 'data8' }, limit)).toEqual(['r3', 'r2', 'r1', 'r9']);
          expect(await ids({ issuer: 'data8', clientId: 'client-a' }, limit)).toEqual(['r3', 'r1', 'r9']);
          expect(await ids({ clientId: 'client-b' }, limit)).toEqual(['r2']);
          expect(await ids({ state: 'done' }, limit)).toEqual(['r0', 'r1']);
          expect(await ids({ issuer: 'data8', clientId: 'client-a', state: 'grace' }, limit)).toEqual(['r9']);
        }
      });

      it('pages stay valid while rotations start, finish and are pruned', async () => {
        const done = { state: 'done', finishedAt: NOW } as const;
        await ledger.commit({
          rotations: [1, 2, 3, 4].map((at) => sampleRotation({ id: `r${at}`, startedAt: NOW + at, ...done })),
        });
        const first = await ledger.rotations({}, 2, null);
        expect(first.items.map((rotation) => rotation.id)).toEqual(['r4', 'r3']);
        await ledger.commit({
          rotations: [sampleRotation({ id: 'r5', startedAt: NOW + 50 }), sampleRotation({ id: 'r0', startedAt: NOW })],
        });
        const second = await ledger.rotations({}, 2, first.nextCursor);
        expect(second.items.map((rotation) => rotation.id)).toEqual(['r2', 'r1']);
        expect(await ledger.prune(NOW + 1)).toBe(4);
        expect((await ledger.rotations({}, 9, first.nextCursor)).items.map((rotation) => rotation.id)).toEqual(['r0']);
      });

      it('tells what a plan must know: unfinished, recent, watched, or still named', async () => {
        const since = NOW;
        const old = { startedAt: NOW - 1_000, state: 'done', finishedAt: NOW - 500 } as const;
        await ledger.commit({
          credentials: [
            sampleCredential({
              current: { secretId: 's-current', generation: 1, expires: null },
              secrets: [
                sampleSecret({ secretId: 's-listed' }),
                sampleSecret({ secretId: 's-lost', rotationId: 'by-rotation-id' }),
              ],
              destinations: [sampleDestination({ secretId: 's-served' }), sampleDestination({ secretId: null })],
            }),
            sampleCredential({ clientId: 'client-b', secrets: [sampleSecret({ secretId: 's-of-b' })] }),
          ],
          rotations: [
            sampleRotation({ ...old, id: 'a-old', secretId: 's-gone' }),
            sampleRotation({ ...old, id: 'b-old-abandoned', state: 'abandoned' }),
            sampleRotation({ ...old, id: 'c-names-of-another', secretId: 's-of-b' }),
            sampleRotation({ ...old, id: 'd-watch-over', watchUntil: since - 1 }),
            sampleRotation({ ...old, id: 'e-of-another', clientId: 'client-b', state: 'grace', finishedAt: null }),
            sampleRotation({ ...old, id: 'k-grace', state: 'grace', finishedAt: null }),
            sampleRotation({ ...old, id: 'l-intended', state: 'intended', finishedAt: null }),
            sampleRotation({ ...old, id: 'm-watched', state: 'abandoned', watchUntil: since }),
            sampleRotation({ ...old, id: 'n-recent', startedAt: since }),
            sampleRotation({ ...old, id: 'o-current', secretId: 's-current' }),
            sampleRotation({ ...old, id: 'p-listed', secretId: 's-listed' }),
            sampleRotation({ ...old, id: 'q-served', secretId: 's-served' }),
            sampleRotation({ ...old, id: 'by-rotation-id' }),
          ],
        });
        const relevant = await ledger.relevantRotations({ issuer: 'data8', clientId: 'client-a' }, since);
        expect(relevant.map((rotation) => rotation.id)).toEqual([
          'n-recent',
          'q-served',
          'p-listed',
          'o-current',
          'm-watched',
          'l-intended',
          'k-grace',
          'by-rotation-id',
        ]);
        expect(relevant[0]).toEqual(sampleRotation({ ...old, id: 'n-recent', startedAt: since, version: 1 }));
      });

      it('tells the credentials in flight, each once', async () => {
        const make = (
          clientId: string,
          at: number,
          state: 'intended' | 'created' | 'verified' | 'delivering' | 'grace' | 'done',
        ) => sampleRotation({ id: `${clientId}${at}`, clientId, state });
        await ledger.commit({
          rotations: [
            make('d', 1, 'delivering'),
            make('c', 1, 'created'),
            make('c', 2, 'verified'),
            make('a', 1, 'intended'),
            make('x', 1, 'grace'),
            make('y', 1, 'done'),
          ],
        });
        expect(await ledger.inFlight()).toEqual(['a', 'c', 'd'].map((clientId) => ({ issuer: 'data8', clientId })));
        await ledger.commit({ rotations: [{ ...make('a', 1, 'done'), version: 1 }] });
        expect(await ledger.inFlight()).toEqual(['c', 'd'].map((clientId) => ({ issuer: 'data8', clientId })));
      });

      it('counts those started at or after a time', async () => {
        await ledger.commit({
          rotations: [-1, 0, 1, 2].map((offset) =>
            sampleRotation({ id: `r${offset}`, startedAt: NOW + offset, clientId: `c${offset}` }),
          ),
        });
        expect(await ledger.startedSince(NOW)).toBe(3);
        expect(await ledger.startedSince(NOW + 3)).toBe(0);
      });
    });

    describe('prune', () => {
      it('takes what is finished for long, and never what is current, live, watched or named', async () => {
        const old = { startedAt: NOW - 99, state: 'done', finishedAt: NOW - 1 } as const;
        await ledger.commit({
          credentials: [
            sampleCredential({
              current: { secretId: 's-current', generation: 1, expires: null },
              secrets: [
                sampleSecret({ secretId: 's-listed' }),
                sampleSecret({ secretId: 's-lost', rotationId: 'keep-by-id' }),
              ],
              destinations: [sampleDestination({ secretId: 's-served', former: true })],
            }),
            sampleCredential({ clientId: 'client-b', secrets: [sampleSecret({ secretId: 's-of-b' })] }),
          ],
          rotations: [
            sampleRotation({ ...old, id: 'go-done', secretId: 's-gone' }),
            sampleRotation({ ...old, id: 'go-abandoned', state: 'abandoned' }),
            sampleRotation({ ...old, id: 'go-watch-over', watchUntil: NOW - 1 }),
            sampleRotation({ ...old, id: 'go-named-by-another', secretId: 's-of-b' }),
            sampleRotation({ ...old, id: 'go-unknown-credential', clientId: 'never-stored', secretId: 's-current' }),
            sampleRotation({ ...old, id: 'keep-just-finished', finishedAt: NOW }),
            sampleRotation({ ...old, id: 'keep-no-end', finishedAt: null }),
            sampleRotation({ ...old, id: 'keep-watched', watchUntil: NOW + 5 }),
            sampleRotation({ ...old, id: 'keep-current', secretId: 's-current' }),
            sampleRotation({ ...old, id: 'keep-listed', secretId: 's-listed' }),
            sampleRotation({ ...old, id: 'keep-served', secretId: 's-served' }),
            sampleRotation({ ...old, id: 'keep-by-id' }),
            ...(['intended', 'created', 'verified', 'delivering', 'grace'] as const).map((state) =>
              sampleRotation({ ...old, id: `keep-${state}`, state }),
            ),
          ],
        });
        expect(await ledger.prune(NOW)).toBe(5);
        const left = (await ledger.rotations({}, 100, null)).items.map((rotation) => rotation.id);
        expect(left.filter((id) => !id.startsWith('keep-'))).toEqual([]);
        expect(left).toHaveLength(12);
        expect(await ledger.prune(NOW)).toBe(0);
        // once the record lets go of the secret, its rotation may go
        await ledger.commit({ credentials: [sampleCredential({ version: 1 })] });
        expect(await ledger.prune(NOW)).toBe(4);
        expect(await ledger.rotation('keep-current')).toBeNull();
      });

      it('takes a long history whole', async () => {
        const finished = { state: 'done', startedAt: NOW - 9, finishedAt: NOW - 5 } as const;
        await ledger.commit({
          credentials: [sampleCredential({ secrets: [sampleSecret({ secretId: 'kept' })] })],
          rotations: Array.from({ length: 1_300 }, (_, at) =>
            sampleRotation({ ...finished, id: `r${at}`, secretId: at % 100 === 0 ? 'kept' : `s${at}` }),
          ),
        });
        expect(await ledger.prune(NOW)).toBe(1_287);
        expect((await ledger.rotations({}, 100, null)).items).toHaveLength(13);
      });
    });

    describe('notes', () => {
      it('keeps any JSON under a key, by compare-and-set', async () => {
        expect(await ledger.putNote('pause', { version: 1, value: 1 })).toBe(false);
        expect(await ledger.putNote('pause', { version: 0, value: { until: null, list: [1, 'x'] } })).toBe(true);
        expect(await ledger.note('pause')).toEqual({ version: 1, value: { until: null, list: [1, 'x'] } });
        expect(await ledger.putNote('pause', { version: 0, value: 2 })).toBe(false);
        expect(await ledger.putNote('pause', { version: 1, value: null })).toBe(true);
        const other = await under.other();
        expect(await other.note('pause')).toEqual({ version: 2, value: null });
        expect(await other.note('breaker')).toBeNull();
        const results = await Promise.all(
          [ledger, other, ledger].map((by) => by.putNote('pause', { version: 2, value: 'x' })),
        );
        expect(results.filter(Boolean)).toHaveLength(1);
      });
    });

    it('check passes, again and again, and leaves no record behind', async () => {
      for (let round = 0; round < 3; round += 1) await ledger.check();
      expect(await ledger.credentials({}, 10, null)).toEqual({ items: [], nextCursor: null });
      expect(await ledger.rotations({}, 10, null)).toEqual({ items: [], nextCursor: null });
    });

    it('can be closed twice', async () => {
      await ledger.close();
      await ledger.close();
    });
  });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** Reads a listing to its end, page by page. */
async function pages<T>(read: (cursor: string | null) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await read(cursor);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}
