import { readFile, writeFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { WebhookSettings } from '../../../src/config/settings.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { MINUTE, SECOND } from '../../../src/domain/time.ts';
import type { RekeydEvent } from '../../../src/telemetry/events.ts';
import { EventFeed } from '../../../src/telemetry/feed.ts';
import { post } from '../../../src/webhooks/post.ts';
import { bodyOf } from '../../../src/webhooks/body.ts';
import { ATTEMPTS, MOST_WAITING } from '../../../src/webhooks/webhook.ts';
import { Webhooks } from '../../../src/webhooks/webhooks.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { recordingLog } from '../../scenarios/recording-log.ts';

const SECRET = 'a-shared-secret-0123';
const closed: RekeydEvent = { type: 'breaker-closed', issuer: 'data8' };

interface Call {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A receiver that answers with the statuses given, then 204. */
async function receiver(...answers: (number | { status: number; headers: Record<string, string> } | 'silence')[]) {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += String(part)));
    request.on('end', () => {
      calls.push({ path: request.url ?? '', headers: request.headers, body });
      const answer = answers.shift() ?? 204;
      if (answer === 'silence') return;
      const { status, headers } = typeof answer === 'number' ? { status: answer, headers: {} } : answer;
      response.writeHead(status, headers).end();
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, calls };
}

function start(url: string, change: Partial<WebhookSettings> = {}, send = post) {
  const ports = createManualPorts(Date.UTC(2030, 0, 1));
  const lines: Parameters<typeof recordingLog>[0] = [];
  const feed = new EventFeed(ports.clock, 'e');
  const settings: WebhookSettings = {
    name: 'ops',
    url: SecretValue.of(url),
    secret: SecretValue.of(SECRET),
    events: ['*'],
    template: null,
    timeout: 10 * SECOND,
    ...change,
  };
  const counted: string[] = [];
  const added: string[] = [];
  const meter = {
    webhook: (name: string, outcome: string) => void counted.push(`${name} ${outcome}`),
    webhookAdded: (name: string) => void added.push(name),
  };
  const webhooks = new Webhooks([settings], feed, { ports, log: recordingLog(lines), meter, post: send });
  const stop = () => webhooks.close();
  return { feed, lines, counted, added, stop, webhooks, settings, clock: ports.clock };
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let left = 300; left > 0 && !holds(); left -= 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
}

describe('webhooks under other settings', () => {
  it('are counted from the time on at which they are configured', async () => {
    const { added, stop, webhooks, settings, clock } = start('http://127.0.0.1:1/nobody');
    expect(added).toEqual(['ops']);
    webhooks.adopt([settings, { ...settings, name: 'new' }]);
    expect(added).toEqual(['ops', 'new']);
    await clock.until(stop());
  });

  it('what waits goes to where it is to go now; one that is gone is ended, one that is new begins', async () => {
    const { url, calls } = await receiver();
    const other = await receiver();
    const { feed, counted, stop, webhooks, settings, clock } = start('http://127.0.0.1:1/nobody');
    feed.tell(closed);
    feed.tell(closed);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const added = { ...settings, name: 'new', url: SecretValue.of(other.url), events: ['audit'] };
    webhooks.adopt([{ ...settings, url: SecretValue.of(url) }, added]);
    for (let tries = 0; tries < 50 && calls.length < 2; tries += 1) {
      await clock.advance(SECOND);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(calls.map(({ headers }) => headers['rekeyd-event-id'])).toEqual(['e-1', 'e-2']);
    webhooks.adopt([added]);
    feed.tell(closed);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(calls).toHaveLength(2);
    expect(other.calls).toHaveLength(0);
    expect(counted).toEqual(['ops ok', 'ops ok']);
    await stop();
  });
});

describe('a webhook', () => {
  it('gets the events that were chosen, in their order', async () => {
    const { url, calls } = await receiver();
    const { feed, counted, stop, clock } = start(url, { events: ['breaker-*', 'audit'] });
    feed.tell({ type: 'token-endpoint-answers', issuer: 'data8' });
    feed.tell(closed);
    feed.tell({ ...closed, issuer: 'other' });
    await eventually(() => calls.length === 2);
    await clock.until(stop());
    expect(counted).toEqual(['ops ok', 'ops ok']);
    expect(calls.map((call) => JSON.parse(call.body) as unknown)).toEqual([
      { id: 'e-2', at: '2030-01-01T00:00:00.000Z', ...closed },
      { id: 'e-3', at: '2030-01-01T00:00:00.000Z', type: 'breaker-closed', issuer: 'other' },
    ]);
    expect(calls[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'rekeyd-event': 'breaker-closed',
      'rekeyd-event-id': 'e-2',
    });
  });

  it('is signed so that the example in docs/webhooks.md can verify it', async () => {
    const { url, calls } = await receiver();
    const { feed, stop, clock } = start(url);
    feed.tell(closed);
    await eventually(() => calls.length === 1);
    await clock.until(stop());
    const page = await readFile(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
    const [, code = ''] = /<!-- verification[^>]*-->\n\n```js\n([^]*?)```/.exec(page) ?? [];
    const folder = await mkdtemp(join(tmpdir(), 'rekeyd-webhook-'));
    await writeFile(join(folder, 'verify.mjs'), code);
    const { isFromRekeyd } = (await import(pathToFileURL(join(folder, 'verify.mjs')).href)) as {
      isFromRekeyd: (headers: IncomingHttpHeaders, body: string, secret: string, now: number) => boolean;
    };
    await rm(folder, { recursive: true });
    const [{ headers, body }] = calls as [Call];
    const now = clock.now();
    expect(isFromRekeyd(headers, body, SECRET, now)).toBe(true);
    expect(isFromRekeyd(headers, `${body} `, SECRET, now)).toBe(false);
    expect(isFromRekeyd(headers, body, `${SECRET}x`, now)).toBe(false);
    expect(isFromRekeyd(headers, body, SECRET, now + 6 * MINUTE)).toBe(false);
    expect(isFromRekeyd({ ...headers, 'rekeyd-timestamp': '1893456001' }, body, SECRET, now)).toBe(false);
    expect(isFromRekeyd({}, body, SECRET, now)).toBe(false);
  });

  it('is not signed without a secret', async () => {
    const { url, calls } = await receiver();
    const { feed, stop, clock } = start(url, { secret: null });
    feed.tell(closed);
    await eventually(() => calls.length === 1);
    await clock.until(stop());
    expect(calls[0]?.headers).not.toHaveProperty('rekeyd-signature');
  });

  it('is tried again with the same id while the receiver is unwell, and holds back what follows', async () => {
    const { url, calls } = await receiver(503, { status: 429, headers: { 'retry-after': '60' } });
    const { feed, stop, clock } = start(url);
    feed.tell(closed);
    feed.tell(closed);
    await eventually(() => calls.length === 1 && clock.pending === 1);
    await clock.advance(2 * SECOND);
    await eventually(() => calls.length === 2 && clock.pending === 1);
    await clock.advance(59 * SECOND);
    expect(calls).toHaveLength(2);
    await clock.advance(SECOND);
    await eventually(() => calls.length === 4);
    await clock.until(stop());
    expect(calls.map((call) => call.headers['rekeyd-event-id'])).toEqual(['e-1', 'e-1', 'e-1', 'e-2']);
  });

  it.each([302, 400, 401, 404, 410])('an answer %i is final: told, without the URL', async (status) => {
    const other = await receiver();
    const { url, calls } = await receiver({ status, headers: { location: other.url } });
    const { feed, lines, counted, stop, clock } = start(url);
    feed.tell(closed);
    feed.tell(closed);
    await eventually(() => calls.length === 2);
    await clock.until(stop());
    expect(counted).toEqual(['ops failed', 'ops ok']);
    expect(other.calls).toEqual([]);
    const fields = { webhook: 'ops', type: 'breaker-closed', status };
    expect(lines).toEqual([{ level: 'warn', event: 'webhook-failed', fields }]);
  });

  it('gives an event up after some tries, within an hour', async () => {
    const { url } = await receiver();
    servers[0]?.close();
    const { feed, lines, stop, clock } = start(url.replace('hook', 'secret-path'));
    feed.tell(closed);
    for (let n = 0; n < 60 && lines.length === 0; n += 1) {
      await eventually(() => clock.pending === 1 || lines.length > 0);
      await clock.advance(MINUTE);
    }
    await clock.until(stop());
    expect(lines).toMatchObject([{ event: 'webhook-failed', fields: { error: 'no connection (ECONNREFUSED)' } }]);
    expect(JSON.stringify(lines)).not.toContain('secret-path');
  });

  it('does not wait for an answer for ever', async () => {
    const { url, calls } = await receiver('silence');
    const { feed, stop, clock } = start(url, { timeout: 50 });
    feed.tell(closed);
    await eventually(() => calls.length === 1 && clock.pending === 1);
    await clock.advance(2 * SECOND);
    await eventually(() => calls.length === 2);
    await clock.until(stop());
  });

  it('keeps a bounded number, the latest, and says once that it drops', async () => {
    const sent: string[] = [];
    let free: (() => void) | null = null;
    const { feed, lines, counted, stop, clock } = start('http://127.0.0.1:1/', {}, (request) => {
      sent.push(request.headers['rekeyd-event-id'] ?? '');
      return new Promise((resolve) => (free = () => resolve({ status: 204, retryAfter: null })));
    });
    for (let n = 0; n < MOST_WAITING + 6; n += 1) feed.tell(closed);
    expect(lines.map(({ event }) => event)).toEqual(['webhook-full']);
    expect(counted).toEqual(Array.from({ length: 5 }, () => 'ops lost'));
    for (let n = 0; n < 3; n += 1) {
      await eventually(() => sent.length === n + 1);
      free!();
    }
    await eventually(() => sent.length === 4);
    expect(sent.slice(0, 2)).toEqual(['e-1', 'e-7']);
    const stopped = clock.until(stop());
    for (let n = 0; n < 5; n += 1) await clock.settle();
    free!();
    await stopped;
  });

  it('a stop waits two seconds for what was told last, no longer', async () => {
    const { url, calls } = await receiver('silence');
    const { feed, stop, clock } = start(url);
    feed.tell(closed);
    await eventually(() => calls.length === 1);
    const before = clock.monotonic();
    await clock.until(stop());
    expect(clock.monotonic() - before).toBe(2 * SECOND);
    feed.tell(closed);
    expect(calls).toHaveLength(1);
  });

  it('tries about half an hour in all', () => {
    const longest = Array.from({ length: ATTEMPTS - 1 }, (_, n) => Math.min(5 * MINUTE, SECOND * 2 ** (n + 1)));
    expect(longest.reduce((sum, each) => sum + each, 0)).toBeLessThan(45 * MINUTE);
  });
});

describe('a template', () => {
  it('is filled as JSON, whatever a name holds', () => {
    const feed = new EventFeed({ now: () => 0 }, 'e');
    const heard: string[] = [];
    const template = '{"text":"{message}: {name} {nothing}", "at":"{at}", "n":"{supersedes}"}';
    feed.listen((event) => heard.push(bodyOf(event, template)));
    const name = '"}, {"evil": "\\ \n{reason}';
    const about = { issuer: 'data8', clientId: 'c', name, rotationId: 'r', generation: 2, reason: 'manual' } as const;
    feed.tell({ type: 'rotation-settled', ...about, supersedes: ['1', '2'], deleteAfter: null, seconds: 1 });
    expect(JSON.parse(heard[0]!)).toEqual({
      text: `All destinations serve the new secret; the grace of the old one runs: ${name} `,
      at: '1970-01-01T00:00:00.000Z',
      n: '["1","2"]',
    });
  });
});
