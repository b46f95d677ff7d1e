import { beforeEach, describe, expect, it } from 'vitest';
import { LedgerError } from '../../src/domain/errors.ts';
import type { Ledger } from '../../src/ledger/contract.ts';
import {
  NOW,
  sampleCredential,
  sampleDestination,
  sampleRotation,
  sampleSecret,
} from '../unit/ledger/sample-records.ts';
import type { LedgerUnderTest } from './ledger-under-test.ts';

/** Storing records and notes: compare-and-set, all or nothing, nothing shared. */
export function describeCommits(subject: () => LedgerUnderTest): void {
  let ledger: Ledger;
  let under: LedgerUnderTest;
  beforeEach(() => {
    under = subject();
    ({ ledger } = under);
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
}
