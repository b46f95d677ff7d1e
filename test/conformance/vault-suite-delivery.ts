import { expect, it } from 'vitest';
import { compareMarks } from '../../src/domain/mark.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import { leakIn } from './canary.ts';
import { makeMark } from './vault-bench.ts';
import { rejects } from './vault-suite-cases.ts';
import type { VaultCases } from './vault-suite-cases.ts';

/** What is delivered is there, whole and with its mark, and is replaced only at the version that was seen. */
export function describeDelivery(cases: VaultCases): void {
  it('delivers to an absent entry, which is bound from then on', async () => {
    const ref = cases.bench.place('first');
    const mark = makeMark(1);
    const { version } = await cases.bench.vault.deliver(ref, cases.bench.fields(), mark, ABSENT);
    expect(version).not.toBe(ABSENT);
    expect(await cases.bench.served(ref, mark)).toMatchObject({ version, mark, binding: 'bound' });
  });

  it('describes without the value', async () => {
    const ref = cases.bench.place('describe');
    await cases.bench.put(ref, cases.bench.fields(), makeMark(1));
    const seen = await cases.bench.vault.describe(ref);
    expect(seen).toMatchObject({ state: 'present', mark: makeMark(1) });
    expect(['bound', 'unproven']).toContain(seen.state === 'present' ? seen.binding : null);
    expect(leakIn(seen, cases.bench.canaries)).toBeNull();
  });

  cases.whenAble('readable', 'reads back what was delivered, opaque text to the last character', async () => {
    const ref = cases.bench.place('opaque');
    const payload = cases.bench.opaque('ID=a\nSECRET=', '\n\t{"not": json} \u{1f511}\n');
    await cases.bench.put(ref, payload, makeMark(1));
    const seen = await cases.bench.readBack(ref, makeMark(1));
    expect(seen).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    expect(await cases.bench.vault.describe(ref, { prove: true })).toMatchObject({ version: seen.version });
    expect(seen.payload?.form).toBe('opaque');
    expect(seen.payload?.content.reveal()).toBe(payload.content.reveal());
  });

  cases.whenAble('readable', 'reads back fields, an unset one included', async () => {
    const ref = cases.bench.place('fields');
    const payload = cases.bench.fields({ clientId: 'a "b" \\ ü', secretId: '7', expires: null, empty_is_text: 'x\ny' });
    await cases.bench.put(ref, payload, makeMark(1));
    const seen = await cases.bench.readBack(ref, makeMark(1));
    expect(seen.payload?.form).toBe('fields');
    const [wanted, got] = [payload.content.reveal(), seen.payload?.content.reveal() ?? ''];
    if (cases.capabilities.map) expect(withoutUnset(got)).toEqual(withoutUnset(wanted));
    else expect(got).toBe(wanted);
  });

  it('keeps every part of a mark, odd characters included', async () => {
    const ref = cases.bench.place('mark');
    const mark = makeMark(123_456_789, {
      issuer: 'Data8.test_1',
      credential: 'cli ent/ä€\u{1f511}:"quoted"\\ %41 <&> =+@,;[]{}',
      secretId: '9007199254740993',
      deliveredAt: Date.UTC(2031, 11, 31, 23, 59, 59, 999),
    });
    await cases.bench.put(ref, cases.bench.fields(), mark);
    expect((await cases.bench.served(ref, mark)).mark).toEqual(mark);
  });

  it('keeps the order of generations, as numbers', async () => {
    const ref = cases.bench.place('order');
    let before = makeMark(2);
    await cases.bench.put(ref, cases.bench.fields(), before);
    for (const generation of [10, 11, 100]) {
      await cases.bench.put(ref, cases.bench.fields(), makeMark(generation));
      const { mark } = await cases.bench.served(ref, makeMark(generation));
      expect(mark === null ? null : compareMarks(mark, before)).toBeGreaterThan(0);
      before = makeMark(generation);
    }
  });

  it('V3: refuses a write over what it does not expect', async () => {
    const ref = cases.bench.place('conflict');
    const first = await cases.bench.put(ref, cases.bench.fields(), makeMark(1));
    await rejects(cases.bench.vault.deliver(ref, cases.bench.fields(), makeMark(2), ABSENT), 'conflict');
    const second = await cases.bench.put(ref, cases.bench.fields(), makeMark(3));
    expect(second).not.toBe(first);
    await rejects(cases.bench.vault.deliver(ref, cases.bench.fields(), makeMark(4), first), 'conflict');
    await rejects(cases.bench.vault.restoreMark(ref, makeMark(4), first), 'conflict');
    expect((await cases.bench.served(ref, makeMark(3))).version).toBe(second);
  });

  it('V3: refuses to deliver over, or to mark, what is not there', async () => {
    const ref = cases.bench.place('gone');
    const elsewhere = await cases.bench.put(cases.bench.place('elsewhere'), cases.bench.fields(), makeMark(1));
    await rejects(cases.bench.vault.deliver(ref, cases.bench.fields(), makeMark(1), elsewhere), 'conflict');
    await rejects(cases.bench.vault.restoreMark(ref, makeMark(1), elsewhere), 'conflict');
    expect(await cases.bench.vault.describe(ref)).toEqual({ state: 'absent' });
  });

  it('V16: writes nothing where nothing changed', async () => {
    const ref = cases.bench.place('unchanged');
    const payload = cases.bench.fields();
    const version = await cases.bench.put(ref, payload, makeMark(1));
    expect(await cases.bench.vault.deliver(ref, payload, makeMark(1), version)).toEqual({ version });
    expect(await cases.bench.served(ref, makeMark(1))).toMatchObject({ version });
  });

  it('takes the same value under a newer mark', async () => {
    const ref = cases.bench.place('same-value');
    const payload = cases.bench.fields();
    await cases.bench.put(ref, payload, makeMark(1));
    await cases.bench.put(ref, payload, makeMark(2));
    expect((await cases.bench.served(ref, makeMark(2))).mark).toEqual(makeMark(2));
  });

  it('takes the form of the payload from the last delivery', async () => {
    const ref = cases.bench.place('form');
    await cases.bench.put(ref, cases.bench.fields({ clientId: 'a' }), makeMark(1));
    await cases.bench.put(ref, cases.bench.opaque(), makeMark(2));
    if (cases.capabilities.readable)
      expect((await cases.bench.readBack(ref, makeMark(2))).payload?.form).toBe('opaque');
  });
}

/** Map vaults have no null: an unset field is left out, or an empty text. */
function withoutUnset(json: string): Record<string, unknown> {
  const fields = Object.entries(JSON.parse(json) as Record<string, unknown>);
  return Object.fromEntries(fields.filter(([, value]) => value !== null && value !== ''));
}
