import type { WebhookSettings } from '../config/settings.ts';
import { SECOND } from '../domain/time.ts';
import type { EventFeed } from '../telemetry/feed.ts';
import { Webhook } from './webhook.ts';
import type { WebhookParts } from './webhook.ts';

/** How long a stop waits for what was told last. */
const PATIENCE = 2 * SECOND;

/** All receivers. @returns a function that ends them: it gives them two seconds to take what waits. It does not throw. */
export function startWebhooks(
  settings: readonly WebhookSettings[],
  feed: Pick<EventFeed, 'listen'>,
  parts: WebhookParts,
): () => Promise<void> {
  const hooks = settings.map((each) => new Webhook(each, parts));
  const unlisten = feed.listen((event) => {
    for (const hook of hooks) hook.take(event);
  });
  return async () => {
    unlisten();
    const drained = new AbortController();
    const all = Promise.all(hooks.map((hook) => hook.drained())).then(() => drained.abort());
    await parts.ports.ticker.sleep(PATIENCE, drained.signal).catch(() => undefined);
    await Promise.all(hooks.map((hook) => hook.close()));
    await all;
  };
}
