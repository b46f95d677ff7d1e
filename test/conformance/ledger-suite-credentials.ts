import { beforeEach, describe, expect, it } from 'vitest';
import { LedgerError } from '../../src/domain/errors.ts';
import type { Ledger } from '../../src/ledger/contract.ts';
import { CursorError } from '../../src/ledger/store/cursor.ts';
import { collect, pages } from './ledger-reading.ts';
import { NOW, sampleCredential, sampleRotation } from '../unit/ledger/sample-records.ts';
import type { LedgerUnderTest } from './ledger-under-test.ts';

/** Headers, listings and counts of credentials; cursors. */
export function describeCredentials(subject: () => LedgerUnderTest): void {
  let ledger: Ledger;
  let under: LedgerUnderTest;
  beforeEach(() => {
    under = subject();
    ({ ledger } = under);
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
}
