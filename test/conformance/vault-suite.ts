import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VaultError } from '../../src/domain/errors.ts';
import type { VaultFault } from '../../src/domain/errors.ts';
import { compareMarks } from '../../src/domain/mark.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { VaultCapabilities } from '../../src/vaults/contract.ts';
import { leakIn } from './canary.ts';
import { makeMark, VaultBench } from './vault-bench.ts';
import type { HookName, VaultFixture, VaultHooks } from './vault-fixture.ts';

/** How a vault is held to the contract. */
export interface VaultSuite {
  /** Opens the vault under test, once. */
  open(): Promise<VaultFixture>;
  readonly capabilities: VaultCapabilities;
  /** Why a hook cannot be had. The cases that need it are skipped, and say so in their name. */
  readonly lacks?: Partial<Record<HookName, string>>;
}

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
  const { capabilities } = suite;

  describe(`vault ${name}`, () => {
    let bench: VaultBench;

    beforeAll(async () => {
      bench = new VaultBench(await suite.open());
    });
    afterAll(async () => {
      await bench.fixture.close();
    });

    /** A case that needs a hook, and perhaps a capability. */
    const withHook = <H extends HookName>(
      hook: H,
      title: string,
      run: (hook: VaultHooks[H]) => Promise<void>,
      able: keyof VaultCapabilities | null = null,
    ): void => {
      const unable = able !== null && !capabilities[able] ? `the vault is not ${able}` : undefined;
      const reason = unable ?? suite.lacks?.[hook];
      if (reason !== undefined) {
        it.skip(`${title} [skipped: ${reason}]`);
        return;
      }
      it(title, async () => {
        const given = bench.fixture[hook];
        if (given === undefined) throw new Error(`The fixture has no '${hook}', and 'lacks' does not say why.`);
        await run(given.bind(bench.fixture) as VaultHooks[H]);
      });
    };
    /** A case that needs a capability. */
    const whenAble = (able: keyof VaultCapabilities, title: string, run: () => Promise<void>): void => {
      if (capabilities[able]) it(title, run);
      else it.skip(`${title} [skipped: the vault is not ${able}]`);
    };

    it('says what it is', () => {
      expect(bench.vault.capabilities).toEqual(capabilities);
      expect(bench.vault.type).toBe(bench.fixture.type.type);
      expect(bench.vault.identity).not.toBe('');
      expect(bench.vault.readBack).toBeGreaterThanOrEqual(0);
      expect(bench.fixture.type.maxBytes).toBeGreaterThan(1000);
    });

    it('says absent where nothing is, and makes nothing by looking', async () => {
      const ref = bench.place('absent');
      for (let look = 0; look < 2; look++) {
        expect(await bench.vault.describe(ref)).toEqual({ state: 'absent' });
        expect(await bench.vault.describe(ref, { prove: true })).toEqual({ state: 'absent' });
        if (capabilities.readable) expect(await bench.vault.read(ref)).toEqual({ state: 'absent' });
      }
    });

    it('delivers to an absent entry, which is bound from then on', async () => {
      const ref = bench.place('first');
      const mark = makeMark(1);
      const { version } = await bench.vault.deliver(ref, bench.fields(), mark, ABSENT);
      expect(version).not.toBe(ABSENT);
      expect(await bench.served(ref, mark)).toMatchObject({ version, mark, binding: 'bound' });
    });

    it('describes without the value', async () => {
      const ref = bench.place('describe');
      await bench.put(ref, bench.fields(), makeMark(1));
      const seen = await bench.vault.describe(ref);
      expect(seen).toMatchObject({ state: 'present', mark: makeMark(1) });
      expect(['bound', 'unproven']).toContain(seen.state === 'present' ? seen.binding : null);
      expect(leakIn(seen, bench.canaries)).toBeNull();
    });

    whenAble('readable', 'reads back what was delivered, opaque text to the last character', async () => {
      const ref = bench.place('opaque');
      const payload = bench.opaque('ID=a\nSECRET=', '\n\t{"not": json} \u{1f511}\n');
      await bench.put(ref, payload, makeMark(1));
      const seen = await bench.readBack(ref, makeMark(1));
      expect(seen).toMatchObject({ mark: makeMark(1), binding: 'bound' });
      expect(await bench.vault.describe(ref, { prove: true })).toMatchObject({ version: seen.version });
      expect(seen.payload?.form).toBe('opaque');
      expect(seen.payload?.content.reveal()).toBe(payload.content.reveal());
    });

    whenAble('readable', 'reads back fields, an unset one included', async () => {
      const ref = bench.place('fields');
      const payload = bench.fields({ clientId: 'a "b" \\ ü', secretId: '7', expires: null, empty_is_text: 'x\ny' });
      await bench.put(ref, payload, makeMark(1));
      const seen = await bench.readBack(ref, makeMark(1));
      expect(seen.payload?.form).toBe('fields');
      const [wanted, got] = [payload.content.reveal(), seen.payload?.content.reveal() ?? ''];
      if (capabilities.map) expect(withoutUnset(got)).toEqual(withoutUnset(wanted));
      else expect(got).toBe(wanted);
    });

    it('keeps every part of a mark, odd characters included', async () => {
      const ref = bench.place('mark');
      const mark = makeMark(123_456_789, {
        issuer: 'Data8.test_1',
        credential: 'cli ent/ä€\u{1f511}:"quoted"\\ %41 <&> =+@,;[]{}',
        secretId: '9007199254740993',
        deliveredAt: Date.UTC(2031, 11, 31, 23, 59, 59, 999),
      });
      await bench.put(ref, bench.fields(), mark);
      expect((await bench.served(ref, mark)).mark).toEqual(mark);
    });

    it('keeps the order of generations, as numbers', async () => {
      const ref = bench.place('order');
      let before = makeMark(2);
      await bench.put(ref, bench.fields(), before);
      for (const generation of [10, 11, 100]) {
        await bench.put(ref, bench.fields(), makeMark(generation));
        const { mark } = await bench.served(ref, makeMark(generation));
        expect(mark === null ? null : compareMarks(mark, before)).toBeGreaterThan(0);
        before = makeMark(generation);
      }
    });

    it('V3: refuses a write over what it does not expect', async () => {
      const ref = bench.place('conflict');
      const first = await bench.put(ref, bench.fields(), makeMark(1));
      await rejects(bench.vault.deliver(ref, bench.fields(), makeMark(2), ABSENT), 'conflict');
      const second = await bench.put(ref, bench.fields(), makeMark(3));
      expect(second).not.toBe(first);
      await rejects(bench.vault.deliver(ref, bench.fields(), makeMark(4), first), 'conflict');
      await rejects(bench.vault.restoreMark(ref, makeMark(4), first), 'conflict');
      expect((await bench.served(ref, makeMark(3))).version).toBe(second);
    });

    it('V3: refuses to deliver over, or to mark, what is not there', async () => {
      const ref = bench.place('gone');
      const elsewhere = await bench.put(bench.place('elsewhere'), bench.fields(), makeMark(1));
      await rejects(bench.vault.deliver(ref, bench.fields(), makeMark(1), elsewhere), 'conflict');
      await rejects(bench.vault.restoreMark(ref, makeMark(1), elsewhere), 'conflict');
      expect(await bench.vault.describe(ref)).toEqual({ state: 'absent' });
    });

    it('V16: writes nothing where nothing changed', async () => {
      const ref = bench.place('unchanged');
      const payload = bench.fields();
      const version = await bench.put(ref, payload, makeMark(1));
      expect(await bench.vault.deliver(ref, payload, makeMark(1), version)).toEqual({ version });
      expect(await bench.served(ref, makeMark(1))).toMatchObject({ version });
    });

    it('takes the same value under a newer mark', async () => {
      const ref = bench.place('same-value');
      const payload = bench.fields();
      await bench.put(ref, payload, makeMark(1));
      await bench.put(ref, payload, makeMark(2));
      expect((await bench.served(ref, makeMark(2))).mark).toEqual(makeMark(2));
    });

    it('takes the form of the payload from the last delivery', async () => {
      const ref = bench.place('form');
      await bench.put(ref, bench.fields({ clientId: 'a' }), makeMark(1));
      await bench.put(ref, bench.opaque(), makeMark(2));
      if (capabilities.readable) expect((await bench.readBack(ref, makeMark(2))).payload?.form).toBe('opaque');
    });

    withHook(
      'second',
      'V3: lets exactly one of many writers win',
      async (second) => {
        const other = await second();
        for (let generation = 1; generation <= 3; generation++) {
          const ref = bench.place(`race-${generation}`);
          const expected = generation === 1 ? ABSENT : await bench.put(ref, bench.fields(), makeMark(generation));
          const marks = Array.from({ length: 8 }, (_, writer) => makeMark(10 + writer));
          const payloads = marks.map(() => bench.fields());
          const results = await Promise.allSettled(
            marks.map((mark, writer) =>
              (writer % 2 === 0 ? bench.vault : other).deliver(ref, payloads[writer]!, mark, expected),
            ),
          );
          const winners = results.flatMap((result, writer) => (result.status === 'fulfilled' ? [writer] : []));
          expect(winners).toHaveLength(1);
          for (const result of results) {
            if (result.status === 'rejected') expect(result.reason).toMatchObject({ fault: 'conflict' });
          }
          const winner = winners[0]!;
          await bench.served(ref, marks[winner]!);
          if (capabilities.readable) {
            const seen = await bench.readBack(ref, marks[winner]!);
            expect(seen.payload?.content.equals(payloads[winner]!.content)).toBe(true);
          }
        }
        await other.close();
      },
      'compareAndSet',
    );

    withHook('putForeign', 'V4: sees an entry that is not ours, and takes it over only at its version', async (put) => {
      const ref = bench.place('foreign');
      const content = bench.canary();
      await put(ref, content);
      const seen = await bench.eventually(
        () => bench.vault.describe(ref, { prove: true }),
        (found) => found.state === 'present',
      );
      expect(seen).toMatchObject({ state: 'present', mark: null, binding: 'broken' });
      if (capabilities.readable) {
        const found = await bench.vault.read(ref);
        expect(found.state === 'present' ? found.payload?.content.reveal().includes(content) : null).toBe(true);
      }
      await rejects(bench.vault.deliver(ref, bench.fields(), makeMark(1), ABSENT), 'conflict');
      const version = seen.state === 'present' ? seen.version : '';
      await bench.vault.deliver(ref, bench.fields(), makeMark(1), version);
      await bench.served(ref, makeMark(1));
    });

    withHook('makeEmpty', 'V12: does not take an entry without value for delivered', async (makeEmpty) => {
      const ref = bench.place('emptied');
      await bench.put(ref, bench.fields(), makeMark(1));
      await makeEmpty(ref);
      const seen = await bench.look(ref, (found) => found.binding === 'broken');
      expect(seen.binding).toBe('broken');
      if (capabilities.readable) {
        expect(await bench.vault.read(ref)).toMatchObject({ state: 'present', binding: 'broken', payload: null });
      }
      await bench.vault.deliver(ref, bench.fields(), makeMark(2), seen.version);
      await bench.served(ref, makeMark(2));
    });

    withHook('lag', 'V13: shows a delivery within readBack, however reading lags', async (lag) => {
      const ref = bench.place('lag');
      const before = await bench.put(ref, bench.fields(), makeMark(1));
      const undo = await lag();
      try {
        const { version } = await bench.vault.deliver(ref, bench.fields(), makeMark(2), before);
        expect(await bench.served(ref, makeMark(2))).toMatchObject({ version });
      } finally {
        await undo();
      }
    });

    withHook('rollBack', 'V14: reads a value that was rolled back as the generation it is', async (rollBack) => {
      const ref = bench.place('rolled-back');
      const payload = bench.fields();
      await bench.put(ref, payload, makeMark(1));
      await bench.put(ref, bench.fields(), makeMark(2));
      await rollBack(ref);
      const seen = await bench.look(ref, (found) => found.mark?.generation === 1);
      expect(seen).toMatchObject({ mark: makeMark(1), binding: 'bound' });
      if (capabilities.readable) {
        expect((await bench.readBack(ref, makeMark(1))).payload?.content.equals(payload.content)).toBe(true);
      }
      await bench.vault.deliver(ref, bench.fields(), makeMark(3), seen.version);
      await bench.served(ref, makeMark(3));
    });

    withHook('deny', 'V15: a denied look is an error, never absence', async (deny) => {
      const [there, absent] = [bench.place('denied'), bench.place('denied-absent')];
      await bench.put(there, bench.fields(), makeMark(1));
      const undo = await deny();
      try {
        for (const ref of [there, absent]) {
          await rejects(bench.vault.describe(ref, { prove: true }), 'denied');
          await rejects(bench.vault.deliver(ref, bench.fields(), makeMark(2), ABSENT), 'denied');
          if (capabilities.readable) await rejects(bench.vault.read(ref), 'denied');
        }
      } finally {
        await undo();
      }
      await bench.served(there, makeMark(1));
    });

    withHook('editByHand', 'V17: sees a value that was changed under our mark', async (edit) => {
      const ref = bench.place('edited');
      const delivered = await bench.put(ref, bench.fields(), makeMark(1));
      await edit(ref, bench.canary());
      const seen = await bench.look(ref, (found) => found.binding === 'broken');
      expect(seen).toMatchObject({ mark: makeMark(1), binding: 'broken' });
      expect(seen.version).not.toBe(delivered);
      if (capabilities.readable) expect(await bench.vault.read(ref)).toMatchObject({ binding: 'broken' });
      await rejects(bench.vault.deliver(ref, bench.fields(), makeMark(2), delivered), 'conflict');
      await bench.vault.deliver(ref, bench.fields(), makeMark(2), seen.version);
      await bench.served(ref, makeMark(2));
    });

    withHook('removeMark', 'C8: restores a mark that was stripped off, at the version that we know', async (strip) => {
      const ref = bench.place('stripped');
      const payload = bench.fields();
      const version = await bench.put(ref, payload, makeMark(7));
      await strip(ref);
      const seen = await bench.look(ref, (found) => found.mark === null);
      expect(seen).toMatchObject({ version, mark: null, binding: 'broken' });
      const restored = await bench.vault.restoreMark(ref, makeMark(7), version);
      expect(await bench.served(ref, makeMark(7))).toMatchObject({ version: restored.version });
      if (capabilities.readable) {
        expect((await bench.readBack(ref, makeMark(7))).payload?.content.equals(payload.content)).toBe(true);
      }
    });

    withHook('addForeignMetadata', 'leaves the metadata of others as it is', async (add) => {
      const ref = bench.place('others');
      const version = await bench.put(ref, bench.fields(), makeMark(1));
      const isThere = await add(ref);
      const seen = await bench.look(ref, () => true);
      expect(seen).toMatchObject({ mark: makeMark(1), binding: 'bound' });
      if (!capabilities.map) expect(seen.version).toBe(version);
      await bench.put(ref, bench.fields(), makeMark(2));
      expect(await isThere()).toBe(true);
      const { version: latest } = await bench.served(ref, makeMark(2));
      await bench.vault.restoreMark(ref, makeMark(3), latest);
      await bench.served(ref, makeMark(3));
      expect(await isThere()).toBe(true);
    });

    it('V10: holds the most bytes that its type names, and refuses one more', async () => {
      const { maxBytes } = bench.fixture.type;
      expect(maxBytes).toBeLessThanOrEqual(LARGEST);
      const ref = bench.place('large');
      const canary = bench.canary();
      const filled = (bytes: number): SecretValue =>
        SecretValue.of(canary + 'x'.repeat(bytes - Buffer.byteLength(canary)));
      const most = filled(maxBytes);
      const version = await bench.put(ref, { form: 'opaque', content: most }, makeMark(1));
      if (capabilities.readable) {
        expect((await bench.readBack(ref, makeMark(1))).payload?.content.equals(most)).toBe(true);
      }
      const tooLarge = { form: 'opaque', content: filled(maxBytes + 1) } as const;
      await rejects(bench.vault.deliver(ref, tooLarge, makeMark(2), version), 'rejected');
      await bench.served(ref, makeMark(1));
    });

    it.each(BAD_NAMES)('S5: refuses the name: %s', (_, bad) => {
      expect(bench.fixture.type.nameProblem(bad, {})).toEqual(expect.stringMatching(/\w/));
    });

    it('S5: takes an ordinary name', () => {
      expect(bench.fixture.type.nameProblem('prod-data8-orders', {})).toBeNull();
    });

    it('gives up at once where it was told to before, and changes nothing', async () => {
      const ref = bench.place('aborted');
      const reason = new Error('the caller gave up');
      const aborted = AbortSignal.abort(reason);
      await expect(bench.fixture.vault.describe(ref, {}, aborted)).rejects.toBe(reason);
      await expect(bench.fixture.vault.deliver(ref, bench.fields(), makeMark(1), ABSENT, aborted)).rejects.toBe(reason);
      if (capabilities.readable) await expect(bench.fixture.vault.read(ref, aborted)).rejects.toBe(reason);
      expect(await bench.vault.describe(ref)).toEqual({ state: 'absent' });
    });

    it('tells its rights, reached first, without writing', async () => {
      const ref = bench.place('rights');
      const [reached, ...others] = await bench.vault.rights([ref]);
      expect(reached).toMatchObject({ right: 'reached', status: 'ok' });
      for (const right of others) {
        if (right.status !== 'ok') expect(right.hint).not.toBe('');
      }
      expect(await bench.vault.describe(ref)).toEqual({ state: 'absent' });
    });

    it('S1: nothing that was thrown or logged shows a value', () => {
      expect(bench.canaries.length).toBeGreaterThan(10);
      expect(bench.thrown.length).toBeGreaterThan(3);
      for (const error of bench.thrown) {
        expect(error).toBeInstanceOf(VaultError);
        expect(leakIn(error, bench.canaries)).toBeNull();
      }
      expect(leakIn(bench.fixture.vault, bench.canaries)).toBeNull();
      expect(leakIn(bench.fixture.printed(), bench.canaries)).toBeNull();
    });

    it('can be closed twice', async () => {
      await bench.vault.close();
      await bench.vault.close();
    });
  });
}

/** Fails where the promise is fulfilled, or rejected with another fault. */
async function rejects(promise: Promise<unknown>, fault: VaultFault): Promise<void> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(VaultError);
  expect(error).toMatchObject({ fault, code: `vault.${fault}` });
}

/** Map vaults have no null: an unset field is left out, or an empty text. */
function withoutUnset(json: string): Record<string, unknown> {
  const fields = Object.entries(JSON.parse(json) as Record<string, unknown>);
  return Object.fromEntries(fields.filter(([, value]) => value !== null && value !== ''));
}
