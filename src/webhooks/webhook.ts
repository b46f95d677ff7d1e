import type { WebhookSettings } from '../config/settings.ts';
import { compilePattern } from '../config/pattern.ts';
import type { Ports } from '../domain/ports.ts';
import { MINUTE, SECOND } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import type { Published } from '../telemetry/feed.ts';
import type { Log } from '../telemetry/log.ts';
import type { Meter } from '../telemetry/meter.ts';
import { bodyOf } from './body.ts';
import type { post, PostResult } from './post.ts';
import { signatureOf } from './signature.ts';

/** So many events wait for a receiver that does not answer; then the oldest go. */
export const MOST_WAITING = 1_000;
/** An event is given up after so many tries: about half an hour. */
export const ATTEMPTS = 12;
const LONGEST_PAUSE: Duration = 5 * MINUTE;

export interface WebhookParts {
  readonly ports: Pick<Ports, 'clock' | 'ticker' | 'random'>;
  readonly log: Log;
  readonly meter: Pick<Meter, 'webhook' | 'webhookAdded'>;
  readonly post: typeof post;
}

/** One receiver: events go to it one after the other, in their order, each until it is taken or given up. */
export class Webhook {
  #settings: WebhookSettings;
  readonly #parts: WebhookParts;
  #patterns: readonly ((type: string) => boolean)[];
  readonly #waiting: Published[] = [];
  readonly #stopping = new AbortController();
  #working: Promise<void> | null = null;
  #isFull = false;

  constructor(settings: WebhookSettings, parts: WebhookParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#patterns = patternsOf(settings);
    parts.meter.webhookAdded(settings.name);
  }

  /** Goes by other settings from the next try on; what waits is sent by them, too. */
  adopt(settings: WebhookSettings): void {
    this.#settings = settings;
    this.#patterns = patternsOf(settings);
  }

  /** Takes an event, where it is one of those that were chosen. Neither throws nor waits. */
  take(event: Published): void {
    if (this.#stopping.signal.aborted || !this.#patterns.some((matches) => matches(event.type))) return;
    if (this.#waiting.length >= MOST_WAITING) {
      this.#waiting.shift();
      this.#count('lost');
      if (!this.#isFull) this.#tell('webhook-full', 'Too many events wait for a webhook: the oldest are dropped', {});
      this.#isFull = true;
    }
    this.#waiting.push(event);
    this.#working ??= this.#work();
  }

  /** Kept when nothing waits any more. */
  async drained(): Promise<void> {
    await this.#working;
  }

  /** Gives up what is under way and what waits. */
  async close(): Promise<void> {
    this.#stopping.abort(new Error('stopping'));
    await this.#working;
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#send(next);
      if (this.#stopping.signal.aborted) break;
    }
    this.#isFull = false;
    this.#working = null;
  }

  async #send(event: Published): Promise<void> {
    const { ports } = this.#parts;
    const { signal } = this.#stopping;
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.#attempt(event);
      if (result.status !== null && result.status >= 200 && result.status < 300) {
        this.#count('ok');
        return;
      }
      if (signal.aborted) return;
      if (attempt >= ATTEMPTS || !isWorthAnother(result)) {
        this.#count('failed');
        const why = result.status === null ? { error: result.error } : { status: result.status };
        this.#tell('webhook-failed', 'A webhook did not take an event: it is dropped', { type: event.type, ...why });
        return;
      }
      try {
        await ports.ticker.sleep(pauseAfter(attempt, result, ports.random.next()), signal);
      } catch {
        return; // stopping
      }
    }
  }

  #attempt(event: Published): Promise<PostResult> {
    const { url, secret, template, timeout } = this.#settings;
    const { ports } = this.#parts;
    const body = bodyOf(event, template);
    const signed = secret === null ? {} : signatureOf(body, secret, ports.clock.now());
    // the same id at every try: a receiver can tell an event that it has had already
    const headers = { 'rekeyd-event': event.type, 'rekeyd-event-id': event.id, ...signed };
    return this.#parts.post({ url, body, headers, timeout, signal: this.#stopping.signal });
  }

  #count(outcome: 'ok' | 'failed' | 'lost'): void {
    this.#parts.meter.webhook(this.#settings.name, outcome);
  }

  #tell(event: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#parts.log.warn(event, message, { webhook: this.#settings.name, ...fields });
  }
}

function patternsOf({ events }: WebhookSettings): ((type: string) => boolean)[] {
  return events.map((glob) => {
    const pattern = compilePattern(glob);
    return 'problem' in pattern ? () => false : (type: string) => pattern.match(type) !== null;
  });
}

/** What is busy, broken or out of reach may do better; what refuses will refuse again, and a redirect is a refusal. */
function isWorthAnother({ status }: PostResult): boolean {
  return status === null || status >= 500 || status === 429 || status === 408;
}

/** 1 s, doubling, the upper half of it jitter; longer where the receiver asks for it; five minutes at most. */
function pauseAfter(attempt: number, result: PostResult, jitter: number): Duration {
  const full = SECOND * 2 ** attempt;
  const asked = result.status === null ? 0 : (result.retryAfter ?? 0);
  return Math.min(LONGEST_PAUSE, Math.max(asked, full / 2 + (full / 2) * jitter));
}
