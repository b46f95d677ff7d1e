import { describe, expect, it } from 'vitest';
import { EventStream } from '../../../src/http/event-stream.ts';
import type { RekeydEvent } from '../../../src/telemetry/events.ts';
import { EventFeed, KEPT_EVENTS } from '../../../src/telemetry/feed.ts';
import { open, readUntil } from './event-reader.ts';
import { serve } from './fake-daemon.ts';

/** About as long as an event can be. */
const large: RekeydEvent = { type: 'breaker-closed', issuer: 'x'.repeat(1_900) };

/** The numbers of the events in a text, in its order. */
const numbersIn = (text: string): number[] => [...text.matchAll(/^id: epoch-(\d+)$/gm)].map(([, n]) => Number(n));
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

describe('coming back to GET /v1/events', () => {
  it.each([
    ['epoch-0', false],
    ['other-7', true],
  ])('after %s gives all that is kept, in its order', async (lastEventId, isMissed) => {
    await using http = await serve();
    for (let n = 0; n < KEPT_EVENTS; n += 1) http.feed.tell(large);
    const { reader, start } = await open(http, lastEventId);
    const text = start + (await readUntil(reader, `id: epoch-${KEPT_EVENTS}\n`));
    expect(numbersIn(text)).toEqual(upTo(KEPT_EVENTS));
    const missed = text.indexOf('event: missed\ndata: {"type":"missed"}\n\n');
    if (isMissed) expect(missed).toBe('retry: 5000\n\n'.length);
    else expect(missed).toBe(-1);
  });

  it('what is told while it reads comes after that, none of it twice and none lost', async () => {
    await using http = await serve();
    const [before, meanwhile] = [KEPT_EVENTS - 200, 200];
    for (let n = 0; n < before; n += 1) http.feed.tell(large);
    let told = 0;
    const tellOn = (): void => {
      for (let n = 0; n < 20 && told < meanwhile; n += 1, told += 1) http.feed.tell(large);
    };
    const { reader, start } = await open(http, 'epoch-0');
    const text = start + (await readUntil(reader, `id: epoch-${before + meanwhile}\n`, tellOn));
    http.feed.tell(large);
    const rest = await readUntil(reader, `id: epoch-${before + meanwhile + 1}\n`);
    expect(numbersIn(text + rest)).toEqual(upTo(before + meanwhile + 1));
  });

  it('no more of it waits than a stream holds, however much is told', () => {
    const feed = new EventFeed({ now: () => 0 }, 'epoch');
    for (let n = 0; n < KEPT_EVENTS - 200; n += 1) feed.tell(large);
    const stream = new EventStream(feed, 'epoch-0');
    stream.read(0);
    for (let n = 0; n < 200; n += 1) feed.tell(large);
    expect(stream.readableLength).toBeGreaterThan(0);
    expect(stream.readableLength).toBeLessThan(stream.readableHighWaterMark + 3_000);
    stream.destroy();
    expect(feed.listeners).toBe(0);
  });

  it('whose next event is not kept any more is dropped, also where it reads nothing', () => {
    const feed = new EventFeed({ now: () => 0 }, 'epoch');
    const stream = new EventStream(feed, null);
    for (let n = 0; n < KEPT_EVENTS; n += 1) feed.tell(large);
    expect(stream.destroyed).toBe(false);
    feed.tell(large);
    expect(stream.destroyed).toBe(true);
    expect(feed.listeners).toBe(0);
  });

  it('nothing is sent after its end', async () => {
    const feed = new EventFeed({ now: () => 0 }, 'epoch');
    const stream = new EventStream(feed, null);
    stream.read(0);
    stream.finish();
    feed.tell(large);
    stream.beat();
    stream.finish();
    expect(String(await stream.toArray())).toBe('retry: 5000\n\n');
  });
});
