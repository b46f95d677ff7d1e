import { Readable } from 'node:stream';
import type { EventFeed, Published } from '../telemetry/feed.ts';

/**
 * What one client of `GET /v1/events` is sent. It takes one event after the other out of the feed, as the client takes them:
 * what waits for a slow one waits in the feed, where it is kept anyway, and here no more than a stream holds. A client
 * whose next event is not kept any more is dropped: it comes again by `Last-Event-ID`, and is told that it missed some.
 */
export class EventStream extends Readable {
  readonly #feed: EventFeed;
  readonly #unlisten: () => void;
  /** The number of the event to be sent next. */
  #next: number;
  /** False from a push that filled the stream up until it is read again, and after its end. */
  #isWanted = false;

  /** @param lastEventId the last event that the client had; null: it begins with what is told next. */
  constructor(feed: EventFeed, lastEventId: string | null) {
    super();
    this.#feed = feed;
    const { missed, next } = feed.resume(lastEventId);
    this.#next = next;
    this.push('retry: 5000\n\n');
    if (missed) this.push('event: missed\ndata: {"type":"missed"}\n\n');
    this.#unlisten = feed.listen(() => this.#passOn());
  }

  override _read(): void {
    this.#isWanted = true;
    this.#passOn();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#unlisten();
    done(error);
  }

  /** Sends a comment, unless there is more to read already. */
  beat(): void {
    if (this.#isWanted) this.#isWanted = this.push(': still here\n\n');
  }

  /** Nothing comes after what was pushed. May be called again. */
  finish(): void {
    this.#isWanted = false;
    this.#unlisten();
    this.push(null);
  }

  #passOn(): void {
    for (;;) {
      const event = this.#feed.at(this.#next);
      if (event === null) {
        this.destroy();
        return;
      }
      if (event === undefined || !this.#isWanted) return;
      this.#next += 1;
      this.#isWanted = this.push(frame(event));
    }
  }
}

function frame({ id, type, json }: Published): string {
  return `id: ${id}\nevent: ${type}\ndata: ${json}\n\n`;
}
