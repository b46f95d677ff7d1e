import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VaultError } from '../../src/domain/errors.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import { leakIn } from './canary.ts';
import { makeMark } from './vault-bench.ts';
import { rejects, VaultCases } from './vault-suite-cases.ts';
import type { VaultSuite } from './vault-suite-cases.ts';
import { describeDelivery } from './vault-suite-delivery.ts';
import { describeWorld } from './vault-suite-world.ts';

/** Names that no vault takes (S5). */
const BAD_NAMES = [
  ['empty', ''],
  ['white space', ' '],
  ['a dot', '.'],
  ['two dots', '..'],
  ['a parent in front', '../a'],
  ['a parent in the middle', 'a/../b'],
  ['a parent at the end', 'a/..'],
  ['a parent behind a backslash', 'a\\..\\b'],
  ['encoded dots', '%2e%2e'],
  ['an encoded slash', 'a%2Fb'],
  ['an encoded backslash', 'a%5cb'],
  ['an encoded zero', 'a%00b'],
  ['a zero', 'a\u0000b'],
  ['a line feed', 'a\nb'],
] as const;

/** More than this is not sent through a test. */
const LARGEST = 16_777_216;

/**
 * The suite that every vault passes, the in-memory reference too. Cases are split by capability and by what the fixture's
 * hooks can play; what is left out is a skipped test with its reason.
 */
export function describeVaultSuite(name: string, suite: VaultSuite): void {
  describe(`vault ${name}`, () => {
    const cases = new VaultCases(suite);
    beforeAll(() => cases.open());
    afterAll(() => cases.close());

    it('says what it is', () => {
      expect(cases.bench.vault.capabilities).toEqual(cases.capabilities);
      expect(cases.bench.vault.type).toBe(cases.bench.fixture.type.type);
      expect(cases.bench.vault.identity).not.toBe('');
      expect(cases.bench.vault.readBack).toBeGreaterThanOrEqual(0);
      expect(cases.bench.fixture.type.maxBytes).toBeGreaterThan(1000);
    });

    it('says absent where nothing is, and makes nothing by looking', async () => {
      const ref = cases.bench.place('absent');
      for (let look = 0; look < 2; look++) {
        expect(await cases.bench.vault.describe(ref)).toEqual({ state: 'absent' });
        expect(await cases.bench.vault.describe(ref, { prove: true })).toEqual({ state: 'absent' });
        if (cases.capabilities.readable) expect(await cases.bench.vault.read(ref)).toEqual({ state: 'absent' });
      }
    });

    describeDelivery(cases);
    describeWorld(cases);

    it('V10: holds the most bytes that its type names, and refuses one more', async () => {
      const { maxBytes } = cases.bench.fixture.type;
      expect(maxBytes).toBeLessThanOrEqual(LARGEST);
      const ref = cases.bench.place('large');
      const canary = cases.bench.canary();
      const filled = (bytes: number): SecretValue =>
        SecretValue.of(canary + 'x'.repeat(bytes - Buffer.byteLength(canary)));
      const most = filled(maxBytes);
      const version = await cases.bench.put(ref, { form: 'opaque', content: most }, makeMark(1));
      if (cases.capabilities.readable) {
        expect((await cases.bench.readBack(ref, makeMark(1))).payload?.content.equals(most)).toBe(true);
      }
      const tooLarge = { form: 'opaque', content: filled(maxBytes + 1) } as const;
      await rejects(cases.bench.vault.deliver(ref, tooLarge, makeMark(2), version), 'rejected');
      await cases.bench.served(ref, makeMark(1));
    });

    it.each(BAD_NAMES)('S5: refuses the name: %s', (_, bad) => {
      expect(cases.bench.fixture.type.nameProblem(bad, {})).toEqual(expect.stringMatching(/\w/));
    });

    it('S5: takes an ordinary name', () => {
      expect(cases.bench.fixture.type.nameProblem('prod-data8-orders', {})).toBeNull();
    });

    it('gives up at once where it was told to before, and changes nothing', async () => {
      const ref = cases.bench.place('aborted');
      const reason = new Error('the caller gave up');
      const aborted = AbortSignal.abort(reason);
      await expect(cases.bench.fixture.vault.describe(ref, {}, aborted)).rejects.toBe(reason);
      await expect(
        cases.bench.fixture.vault.deliver(ref, cases.bench.fields(), makeMark(1), ABSENT, aborted),
      ).rejects.toBe(reason);
      if (cases.capabilities.readable) await expect(cases.bench.fixture.vault.read(ref, aborted)).rejects.toBe(reason);
      expect(await cases.bench.vault.describe(ref)).toEqual({ state: 'absent' });
    });

    it('tells its rights, reached first, without writing', async () => {
      const ref = cases.bench.place('rights');
      const [reached, ...others] = await cases.bench.vault.rights([ref]);
      expect(reached).toMatchObject({ right: 'reached', status: 'ok' });
      for (const right of others) {
        if (right.status !== 'ok') expect(right.hint).not.toBe('');
      }
      expect(await cases.bench.vault.describe(ref)).toEqual({ state: 'absent' });
    });

    it('S1: nothing that was thrown or logged shows a value', () => {
      expect(cases.bench.canaries.length).toBeGreaterThan(10);
      expect(cases.bench.thrown.length).toBeGreaterThan(3);
      for (const error of cases.bench.thrown) {
        expect(error).toBeInstanceOf(VaultError);
        expect(leakIn(error, cases.bench.canaries)).toBeNull();
      }
      expect(leakIn(cases.bench.fixture.vault, cases.bench.canaries)).toBeNull();
      expect(leakIn(cases.bench.fixture.printed(), cases.bench.canaries)).toBeNull();
    });

    it('can be closed twice', async () => {
      await cases.bench.vault.close();
      await cases.bench.vault.close();
    });
  });
}
