import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changePauseNote, readPauseNote } from '../../../src/daemon/pause-note.ts';
import { DAY, MINUTE } from '../../../src/domain/time.ts';
import type { Duration, Instant } from '../../../src/domain/time.ts';
import { MemoryLedger } from '../../../src/ledger/memory.ts';
import type { Circumstances } from '../../../src/rotation/observation.ts';
import { pausedDuring } from '../../../src/rotation/pauses.ts';

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

/** Time in pause since `from`, by pauses as they are kept or as they were. */
function pausedSince(from: Instant, pastPauses: Past): Duration {
  return pausedDuring({ pause: null, pastPauses, breakerUntil: null, pacedUntil: null, issuerSilent: false }, from);
}

/** Each is so long, and comes so long after the one before. A gap below 0: the clock was set back meanwhile. */
function oneAfterTheOther(steps: readonly (readonly [gap: Duration, length: Duration])[]): Past {
  let at = START;
  return steps.map(([gap, length]) => {
    const since = at + gap;
    at = since + length;
    return { since, until: at };
  });
}

/** The grace of a secret that began at any time of them is put off by no less than what it lay in pause. */
function expectNotShorter(pauses: Past, kept: Past): void {
  const edges = pauses.flatMap(({ since, until }) => [since - 1, since, (since + until) / 2, until, until + 1]);
  for (const from of edges) expect(pausedSince(from, kept)).toBeGreaterThanOrEqual(pausedSince(from, pauses));
}

describe('pauses of everything that are over', () => {
  const short = oneAfterTheOther(Array.from({ length: 250 }, () => [MINUTE, MINUTE] as const));

  it('count whole for a grace that began before them, be they ever so many', async () => {
    expect(pausedSince(START, await keptOf(short))).toBe(250 * MINUTE);
  });

  it('never count for less in a grace that began among them, and exactly in one that saw only the last hundred', async () => {
    const kept = await keptOf(short);
    expectNotShorter(short, kept);
    for (const { since } of short.slice(-99)) expect(pausedSince(since, kept)).toBe(pausedSince(since, short));
    expect(pausedSince(short.at(-1)?.until ?? 0, kept)).toBe(0);
  });

  it('do not grow without bounds', async () => {
    expect(await keptOf(short)).toHaveLength(100);
  });

  it('never count for less, whatever their lengths, and however the clock was set meanwhile', async () => {
    const step = fc.tuple(fc.integer({ min: -DAY, max: 30 * DAY }), fc.integer({ min: -MINUTE, max: 30 * DAY }));
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
    expect(past.length).toBeLessThanOrEqual(101);
  });
});
