import { beforeEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger/contract.ts';
import { pages } from './ledger-reading.ts';
import {
  NOW,
  sampleCredential,
  sampleDestination,
  sampleRotation,
  sampleSecret,
} from '../unit/ledger/sample-records.ts';
import type { LedgerUnderTest } from './ledger-under-test.ts';

/** Listings and selections of rotations, and pruning. */
export function describeRotations(subject: () => LedgerUnderTest): void {
  let ledger: Ledger;
  beforeEach(() => {
    ({ ledger } = subject());
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
}
