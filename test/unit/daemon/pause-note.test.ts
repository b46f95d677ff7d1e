import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changePauseNote, readPauseNote } from '../../../src/daemon/pause-note.ts';
import { DAY, MINUTE } from '../../../src/domain/time.ts';
import type { Duration, Instant } from '../../../src/domain/time.ts';
import { MemoryLedger } from '../../../src/ledger/memory.ts';
import type { Circumstances } from '../../../src/rotation/observation.ts';
import { graceEnd } from '../../../src/rotation/pauses.ts';
import { knownSecret } from '../rotation/given.ts';

const START = Date.UTC(2030, 0, 1);
type Past = Circumstances['pastPauses'];

/** Everything is paused and resumed at these times, one after the other. @returns what the ledger keeps of it. */
async function keptOf(pauses: Past): Promise<Past> {
  const ledger = new MemoryLedger();
  for (const { since, until } of pauses) {
    await changePauseNote(ledger, since, () => ({ since, until: null, note: null }));
    await changePauseNote(ledger, until, () => null);
  }
  return (await readPauseNote(ledger, pauses.at(-1)?.until ?? START)).past;
}

/** How long a grace that began at `from` is put off, by pauses as they are kept or as they were. */
function pausedSince(from: Instant, pastPauses: Past, own: Past = []): Duration {
  const paused = own.map(({ since, until }) => ({ since: Math.max(from, since), until }));
  const put = paused.reduce((sum, { since, until }) => sum + Math.max(0, until - since), 0);
  const secret = knownSecret('1', {
    grace: DAY,
    deleteAfter: from + DAY + put,
    paused: paused.filter((each) => each.until > each.since),
  });
  const circumstances = { pause: null, pastPauses, breakerUntil: null, pacedUntil: null, issuerSilent: false };
  return (graceEnd(secret, circumstances) ?? 0) - from - DAY;
}

/** Each is so long, and comes so long after the one before. */
function oneAfterTheOther(steps: readonly (readonly [gap: Duration, length: Duration])[]): Past {
  let at = START;
  return steps.map(([gap, length]) => {
    const since = at + gap;
    at = since + length;
    return { since, until: at };
  });
}

/** The grace of a secret that began at any time of them is put off by no less than what it lay in pause. */
function expectNotShorter(pauses: Past, kept: Past, own: Past = []): void {
  const edges = pauses.flatMap(({ since, until }) => [since - 1, since, (since + until) / 2, until, until + 1]);
  for (const from of edges) {
    expect(pausedSince(from, kept, own)).toBeGreaterThanOrEqual(pausedSince(from, pauses, own));
  }
}

describe('pauses of everything that are over', () => {
  const short = oneAfterTheOther(Array.from({ length: 250 }, () => [MINUTE, MINUTE] as const));

  it('count whole for a grace that began before them, be they ever so many', async () => {
    expect(pausedSince(START, await keptOf(short))).toBe(250 * MINUTE);
  });

  it('never count for less in a grace that began among them, and exactly in one that saw only the last hundred', async () => {
    const kept = await keptOf(short);
    expectNotShorter(short, kept);
    for (const { since } of short.slice(-100)) expect(pausedSince(since, kept)).toBe(pausedSince(since, short));
    expect(pausedSince(short.at(-1)?.until ?? 0, kept)).toBe(0);
  });

  it('count for no less where its credential was paused by itself in one of those that became one', async () => {
    const own = [{ since: START + 10 * MINUTE, until: START + 40 * MINUTE }];
    expectNotShorter(short, await keptOf(short), own);
  });

  it("of a script that pauses for five minutes of each hour, for ever, put a grace off by those, and another day's at most", async () => {
    const hourly = oneAfterTheOther(Array.from({ length: 60 * 24 }, () => [55 * MINUTE, 5 * MINUTE] as const));
    const kept = await keptOf(hourly);
    for (const day of [0, 10.4, 40, 59]) {
      const from = START + day * DAY;
      const late = pausedSince(from, kept) - pausedSince(from, hourly);
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThanOrEqual(24 * 5 * MINUTE);
    }
    expect(kept.length).toBeLessThanOrEqual(100 + 61);
  });

  it('are forgotten once no grace can have seen them', async () => {
    const daily = oneAfterTheOther(Array.from({ length: 7 * 365 }, () => [DAY - MINUTE, MINUTE] as const));
    expect((await keptOf(daily)).length).toBeLessThanOrEqual(5 * 366 + 1);
  });

  it('never count for less, whatever their lengths', async () => {
    const step = fc.tuple(fc.integer({ min: 0, max: 2 * DAY }), fc.integer({ min: 0, max: 3 * DAY }));
    const pauses = fc.array(step, { minLength: 101, maxLength: 130 }).map(oneAfterTheOther);
    await fc.assert(
      fc.asyncProperty(pauses, async (each) => {
        expectNotShorter(each, await keptOf(each));
      }),
      { numRuns: 30 },
    );
  });

  it('that ended by themselves count as well', async () => {
    const ledger = new MemoryLedger();
    for (const { since, until } of short) await changePauseNote(ledger, since, () => ({ since, until, note: null }));
    const { past } = await readPauseNote(ledger, short.at(-1)?.until ?? 0);
    expect(pausedSince(START, past)).toBe(250 * MINUTE);
    expect(past.length).toBeLessThanOrEqual(102);
  });
});
