import { PLACEHOLDER } from '../config/webhooks.ts';
import { EVENTS } from '../telemetry/events.ts';
import type { Published } from '../telemetry/feed.ts';

/**
 * The body of a call: the event's JSON, or the template with its placeholders filled: any field of the event, `{message}` (what
 * the event means, as in the log). What an event does not have, or is null, leaves nothing. Values are escaped as JSON.
 */
export function bodyOf({ json, type }: Published, template: string | null): string {
  if (template === null) return json;
  const event = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const fields = new Map(Object.entries({ ...event, message: EVENTS[type].message }));
  return template.replace(PLACEHOLDER, (_whole, field: string) =>
    JSON.stringify(textOf(fields.get(field))).slice(1, -1),
  );
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
