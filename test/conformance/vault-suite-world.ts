import { expect } from 'vitest';
import { readPayload } from '../../src/domain/payload-reading.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import { makeMark } from './vault-bench.ts';
import { rejects } from './vault-suite-cases.ts';
import type { VaultCases } from './vault-suite-cases.ts';

/** What others do to a vault is seen as what it is: other writers, people, other tools, a right that is taken away. */
export function describeWorld(cases: VaultCases): void {
  cases.withHook(
    'second',
    'V3: lets exactly one of many writers win',
    async (second) => {
      const other = await second();
      for (let generation = 1; generation <= 3; generation++) {
        const ref = cases.bench.place(`race-${generation}`);
        const expected =
          generation === 1 ? ABSENT : await cases.bench.put(ref, cases.bench.fields(), makeMark(generation));
        const marks = Array.from({ length: 8 }, (_, writer) => makeMark(10 + writer));
        const payloads = marks.map(() => cases.bench.fields());
        const results = await Promise.allSettled(
          marks.map((mark, writer) =>
            (writer % 2 === 0 ? cases.bench.vault : other).deliver(ref, payloads[writer]!, mark, expected),
          ),
        );
        const winners = results.flatMap((result, writer) => (result.status === 'fulfilled' ? [writer] : []));
        expect(winners).toHaveLength(1);
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toMatchObject({ fault: 'conflict' });
        }
        const winner = winners[0]!;
        await cases.bench.served(ref, marks[winner]!);
        if (cases.capabilities.readable) {
          const seen = await cases.bench.readBack(ref, marks[winner]!);
          expect(seen.payload?.content.equals(payloads[winner]!.content)).toBe(true);
        }
      }
      await other.close();
    },
    'compareAndSet',
  );

  cases.withHook(
    'putForeign',
    'V4: sees an entry that is not ours, and takes it over only at its version',
    async (put) => {
      const ref = cases.bench.place('foreign');
      const content = cases.bench.canary();
      await put(ref, content);
      const seen = await cases.bench.eventually(
        () => cases.bench.vault.describe(ref, { prove: true }),
        (found) => found.state === 'present',
      );
      expect(seen).toMatchObject({ state: 'present', mark: null, binding: 'broken' });
      if (cases.capabilities.readable) {
        const found = await cases.bench.vault.read(ref);
        expect(found.state === 'present' ? found.payload?.content.reveal().includes(content) : null).toBe(true);
      }
      await rejects(cases.bench.vault.deliver(ref, cases.bench.fields(), makeMark(1), ABSENT), 'conflict');
      const version = seen.state === 'present' ? seen.version : '';
      await cases.bench.vault.deliver(ref, cases.bench.fields(), makeMark(1), version);
      await cases.bench.served(ref, makeMark(1));
    },
  );

  cases.withHook(
    'addForeignMetadata',
    'V4: gives the value of an entry that was made by hand back, whatever keys lie beside it',
    async (add) => {
      const ref = cases.bench.place('foreign-keys');
      const content = cases.bench.canary();
      await cases.bench.fixture.putForeign?.(ref, content);
      await add(ref);
      const found = await cases.bench.vault.read(ref);
      const payload = found.state === 'present' ? found.payload : null;
      const value = payload === null ? null : readPayload({ kind: 'value' }, {}, payload);
      expect(value?.clientSecret.reveal() === content).toBe(true);
    },
    'map',
  );

  cases.withHook('makeEmpty', 'V12: does not take an entry without value for delivered', async (makeEmpty) => {
    const ref = cases.bench.place('emptied');
    await cases.bench.put(ref, cases.bench.fields(), makeMark(1));
    await makeEmpty(ref);
    const seen = await cases.bench.look(ref, (found) => found.binding === 'broken');
    expect(seen.binding).toBe('broken');
    if (cases.capabilities.readable) {
      expect(await cases.bench.vault.read(ref)).toMatchObject({ state: 'present', binding: 'broken', payload: null });
    }
    await cases.bench.vault.deliver(ref, cases.bench.fields(), makeMark(2), seen.version);
    await cases.bench.served(ref, makeMark(2));
  });

  cases.withHook('lag', 'V13: shows a delivery within readBack, however reading lags', async (lag) => {
    const ref = cases.bench.place('lag');
    const before = await cases.bench.put(ref, cases.bench.fields(), makeMark(1));
    const undo = await lag();
    try {
      const { version } = await cases.bench.vault.deliver(ref, cases.bench.fields(), makeMark(2), before);
      expect(await cases.bench.served(ref, makeMark(2))).toMatchObject({ version });
    } finally {
      await undo();
    }
  });

  cases.withHook('rollBack', 'V14: reads a value that was rolled back as the generation it is', async (rollBack) => {
    const ref = cases.bench.place('rolled-back');
    const payload = cases.bench.fields();
    await cases.bench.put(ref, payload, makeMark(1));
    await cases.bench.put(ref, cases.bench.fields(), makeMark(2));
    await rollBack(ref);
    const seen = await cases.bench.look(ref, (found) => found.mark?.generation === 1);
    expect(seen).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    if (cases.capabilities.readable) {
      expect((await cases.bench.readBack(ref, makeMark(1))).payload?.content.equals(payload.content)).toBe(true);
    }
    await cases.bench.vault.deliver(ref, cases.bench.fields(), makeMark(3), seen.version);
    await cases.bench.served(ref, makeMark(3));
  });

  cases.withHook(
    'rollBackAndForth',
    'V19: shows that a value was rolled back, also where it was put right again',
    async (rollBackAndForth) => {
      const ref = cases.bench.place('put-right');
      await cases.bench.put(ref, cases.bench.fields(), makeMark(1));
      await cases.bench.put(ref, cases.bench.fields(), makeMark(2));
      const look = () => cases.bench.look(ref, ({ mark, binding }) => mark?.generation === 2 && binding === 'bound');
      const before = await look();
      expect(await look()).toEqual(before); // to look changes nothing
      await rollBackAndForth(ref);
      const after = await look();
      expect([after.version, after.revision]).not.toEqual([before.version, before.revision]);
      await cases.bench.vault.deliver(ref, cases.bench.fields(), makeMark(3), after.version);
      await cases.bench.served(ref, makeMark(3));
    },
  );

  cases.withHook('deny', 'V15: a denied look is an error, never absence', async (deny) => {
    const [there, absent] = [cases.bench.place('denied'), cases.bench.place('denied-absent')];
    await cases.bench.put(there, cases.bench.fields(), makeMark(1));
    const undo = await deny();
    try {
      for (const ref of [there, absent]) {
        await rejects(cases.bench.vault.describe(ref, { prove: true }), 'denied');
        await rejects(cases.bench.vault.deliver(ref, cases.bench.fields(), makeMark(2), ABSENT), 'denied');
        if (cases.capabilities.readable) await rejects(cases.bench.vault.read(ref), 'denied');
      }
    } finally {
      await undo();
    }
    await cases.bench.served(there, makeMark(1));
  });

  cases.withHook('editByHand', 'V17: sees a value that was changed under our mark', async (edit) => {
    const ref = cases.bench.place('edited');
    const delivered = await cases.bench.put(ref, cases.bench.fields(), makeMark(1));
    await edit(ref, cases.bench.canary());
    const seen = await cases.bench.look(ref, (found) => found.binding === 'broken');
    expect(seen).toMatchObject({ mark: makeMark(1), binding: 'broken' });
    expect(seen.version).not.toBe(delivered);
    if (cases.capabilities.readable) expect(await cases.bench.vault.read(ref)).toMatchObject({ binding: 'broken' });
    await rejects(cases.bench.vault.deliver(ref, cases.bench.fields(), makeMark(2), delivered), 'conflict');
    await cases.bench.vault.deliver(ref, cases.bench.fields(), makeMark(2), seen.version);
    await cases.bench.served(ref, makeMark(2));
  });

  cases.withHook(
    'removeMark',
    'C8: restores a mark that was stripped off, at the version that we know',
    async (strip) => {
      const ref = cases.bench.place('stripped');
      const payload = cases.bench.fields();
      const version = await cases.bench.put(ref, payload, makeMark(7));
      await strip(ref);
      const seen = await cases.bench.look(ref, (found) => found.mark === null);
      expect(seen).toMatchObject({ version, mark: null, binding: 'broken' });
      const restored = await cases.bench.vault.restoreMark(ref, makeMark(7), version);
      expect(await cases.bench.served(ref, makeMark(7))).toMatchObject({ version: restored.version });
      if (cases.capabilities.readable) {
        expect((await cases.bench.readBack(ref, makeMark(7))).payload?.content.equals(payload.content)).toBe(true);
      }
    },
  );

  cases.withHook('addForeignMetadata', 'leaves the metadata of others as it is', async (add) => {
    const ref = cases.bench.place('others');
    const version = await cases.bench.put(ref, cases.bench.fields(), makeMark(1));
    const isThere = await add(ref);
    const seen = await cases.bench.look(ref, () => true);
    expect(seen).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    if (!cases.capabilities.map) expect(seen.version).toBe(version);
    await cases.bench.put(ref, cases.bench.fields(), makeMark(2));
    expect(await isThere()).toBe(true);
    const { version: latest } = await cases.bench.served(ref, makeMark(2));
    await cases.bench.vault.restoreMark(ref, makeMark(3), latest);
    await cases.bench.served(ref, makeMark(3));
    expect(await isThere()).toBe(true);
  });
}
