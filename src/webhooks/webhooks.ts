import type { WebhookSettings } from '../config/settings.ts';
import { SECOND } from '../domain/time.ts';
import type { EventFeed } from '../telemetry/feed.ts';
import { Webhook } from './webhook.ts';
import type { WebhookParts } from './webhook.ts';

/** How long a stop waits for what was told last. */
const PATIENCE = 2 * SECOND;

/** All receivers, by name. */
export class Webhooks {
  readonly #parts: WebhookParts;
  readonly #unlisten: () => void;
  #hooks: ReadonlyMap<string, Webhook> = new Map();

  constructor(settings: readonly WebhookSettings[], feed: Pick<EventFeed, 'listen'>, parts: WebhookParts) {
    this.#parts = parts;
    this.adopt(settings);
    this.#unlisten = feed.listen((event) => {
      for (const hook of this.#hooks.values()) hook.take(event);
    });
  }

  /** Takes over other settings. What waits for a receiver that keeps its name is not lost; one that is gone is ended. */
  adopt(settings: readonly WebhookSettings[]): void {
    const before = this.#hooks;
    this.#hooks = new Map(
      settings.map((each) => {
        const known = before.get(each.name);
        known?.adopt(each);
        return [each.name, known ?? new Webhook(each, this.#parts)];
      }),
    );
    const gone = [...before].filter(([name]) => !this.#hooks.has(name)).map(([, hook]) => hook);
    if (gone.length > 0) void this.#end(gone);
  }

  /** Ends them: it gives them two seconds to take what waits. It does not throw. */
  close(): Promise<void> {
    this.#unlisten();
    return this.#end([...this.#hooks.values()]);
  }

  async #end(hooks: readonly Webhook[]): Promise<void> {
    const drained = new AbortController();
    const all = Promise.all(hooks.map((hook) => hook.drained())).then(() => drained.abort());
    await this.#parts.ports.ticker.sleep(PATIENCE, drained.signal).catch(() => undefined);
    await Promise.all(hooks.map((hook) => hook.close()));
    await all;
  }
}
