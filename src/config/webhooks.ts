import { z } from 'zod';
import { SecretValue } from '../domain/secret-value.ts';
import { didYouMean } from './did-you-mean.ts';
import { duration, httpUrl, name } from './fields.ts';
import { compilePattern } from './pattern.ts';
import type { TreeReport } from './report.ts';
import type { WebhookSettings } from './settings.ts';

export const webhookShape = {
  name: name().describe('What to call it: in the log.'),
  url: httpUrl().describe(
    'Where to send to: https, or loopback. Best as `${file:…}`, where the URL itself is a secret.',
  ),
  secret: z
    .string()
    .min(16)
    .nullable()
    .default(null)
    .describe('Signs what is sent (HMAC-SHA-256), see webhooks.md. `null`: not signed.'),
  events: z.array(z.string().min(1)).min(1).describe('Names of events, or globs of them: `rotation-*`.'),
  template: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("The body: JSON with placeholders such as `{message}` and `{name}`. `null`: the event's own JSON."),
  timeout: duration(1).prefault('10s').describe('Limit of one call.'),
};

type Written = z.output<z.ZodObject<typeof webhookShape>>;

/** What a placeholder in a template looks like. Braces of JSON never do: a quote follows them. */
export const PLACEHOLDER = /\{([A-Za-z]+)\}/g;

/**
 * Checks what the schema cannot: hosts against the allow-list, globs against the names of events, templates for JSON.
 * @param eventNames empty: not known here, globs are not checked.
 */
export function readWebhooks(
  written: readonly Written[],
  hosts: readonly string[],
  eventNames: readonly string[],
  report: TreeReport,
): WebhookSettings[] {
  const allowed = hosts.map((host, index) => patternAt(host.toLowerCase(), ['webhookHosts', index], report));
  const names = new Set<string>();
  return written.map((hook, index) => {
    const at = ['webhooks', index];
    if (names.has(hook.name)) report.value([...at, 'name'], 'another webhook has this name');
    names.add(hook.name);
    const { hostname } = new URL(hook.url);
    if (!allowed.some((matches) => matches(hostname))) {
      report.value([...at, 'url'], 'its host is not in `webhookHosts`: name it there, if it is meant');
    }
    hook.events.forEach((glob, place) => {
      const matches = patternAt(glob, [...at, 'events', place], report);
      if (eventNames.length === 0 || eventNames.some(matches)) return;
      report.value([...at, 'events', place], `no event has such a name${didYouMean(glob, eventNames)}`);
    });
    if (hook.template !== null && !isJson(hook.template.replace(PLACEHOLDER, 'x'))) {
      report.value([...at, 'template'], 'must be JSON, placeholders inside its strings');
    }
    const secret = hook.secret === null ? null : SecretValue.of(hook.secret);
    return { ...hook, secret, url: SecretValue.of(hook.url) };
  });
}

function patternAt(source: string, path: (string | number)[], report: TreeReport): (text: string) => boolean {
  const pattern = compilePattern(source);
  if (!('problem' in pattern)) return (text) => pattern.match(text) !== null;
  report.value(path, pattern.problem);
  return () => true;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // which is the answer: the caller tells of it
  }
}
