import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { DaemonApi } from '../../../src/daemon/api.ts';
import { Refusal } from '../../../src/daemon/api.ts';
import { LedgerError } from '../../../src/domain/errors.ts';
import { PROBLEMS } from '../../../src/http/problem.ts';
import type { HttpOptions } from '../../../src/http/server.ts';
import { OPERATOR, serve, sha256, VIEWER } from './fake-daemon.ts';
import { trusting } from './oidc-scene.ts';
import { sendRaw } from './raw-connection.ts';

const page = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8');

interface Section {
  readonly name: string;
  readonly status: number;
  readonly request: string;
  readonly answer: unknown;
}

/** The sections of the page: name and status in the heading, then a request, then the answer's body. */
const sections: Section[] = [
  ...page.matchAll(/^## `([\w-]+)` \((\d{3})\)\n[^#]*?```http\n([\s\S]*?)```\n+```json\n([\s\S]*?)```/gm),
].map(([, name = '', status = '', request = '', answer = '']) => ({
  name,
  status: Number(status),
  request,
  answer: JSON.parse(answer) as unknown,
}));

const settings = (tokens: HttpOptions['settings']['tokens'], requestsPerSecond = 1_000) => ({
  settings: { host: '127.0.0.1', port: 0, requestsPerSecond, socket: null, tokens },
});
const operator = { name: 'ci', role: 'operator', sha256: sha256(OPERATOR) } as const;
const refusing = (refusal: Error): Partial<DaemonApi> => ({ rotate: () => Promise.reject(refusal) });
const failing = (refusal: Error): Partial<DaemonApi> => ({ startBulk: () => Promise.reject(refusal) });
const QUICK = { headers: 200, request: 400, idle: 600, answer: 300 };

/** What must be so for the request to meet its problem, where the request alone is not enough. */
const SCENES: Readonly<Record<string, readonly [Partial<HttpOptions>, Partial<DaemonApi>?]>> = {
  'no-token-configured': [settings([])],
  'request-timeout': [{ timeouts: QUICK }],
  overdue: [{ timeouts: QUICK }, { status: () => new Promise(() => undefined) }],
  'rate-limited': [settings([operator], 0.05)],
  conflict: [{}, refusing(new Refusal('conflict', 'it is paused: resume it first', { reason: 'paused' }))],
  'bulk-changed': [
    {},
    failing(
      new Refusal(
        'bulk-changed',
        'this is not the set that was confirmed: 12 would be rotated now; look at a new preview',
      ),
    ),
  ],
  'bulk-running': [
    {},
    failing(
      new Refusal(
        'bulk-running',
        'bulk 01914b1e-7f00-7000-8000-000000000001 of * is running: wait for it, or cancel it',
      ),
    ),
  ],
  'key-reused': [
    {},
    refusing(new Refusal('key-reused', 'this Idempotency-Key came with another body before: take a new key')),
  ],
  'too-soon': [
    {},
    refusing(
      new Refusal(
        'too-soon',
        'the last attempt failed: no answer. Ask again after the wait; what is due is tried again by itself',
        {
          reason: 'backoff',
          retryAfter: 60,
        },
      ),
    ),
  ],
  'issuer-unreachable': [
    {
      settings: {
        ...settings([operator]).settings,
        oidc: [trusting({ url: 'http://127.0.0.1:1' })],
      },
    },
  ],
  internal: [{}, { status: () => Promise.reject(new Error('canary')) }],
  'ledger-failed': [{}, { status: () => Promise.reject(new LedgerError('canary')) }],
};

/** Of an issuer at a port where nobody listens. It is not looked at further. */
const JWT = [{ alg: 'ES256', kid: '1' }, { iss: 'http://127.0.0.1:1' }, 'x']
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.');

/** As bytes: `…` stands for 5,000 of the character before it; a request without its blank line is never finished. */
function bytesOf(request: string): string {
  const text = request
    .replace(/(.)…/g, (_, character: string) => character.repeat(5_000 * (request.startsWith('GET /livez') ? 4 : 1)))
    .replace('OPERATOR', OPERATOR)
    .replace('VIEWER', VIEWER)
    .replace('JWT', JWT);
  const [head = '', ...rest] = text.split('\n\n');
  const body = rest.join('\n\n').trimEnd();
  const lines = head.trimEnd().split('\n');
  if (!text.includes('\n\n')) return `${lines.join('\r\n')}\r\n`;
  const length = body === '' || /content-length/i.test(head) ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return [...lines, 'Connection: close', ...length, '', body].join('\r\n');
}

describe('docs/errors.md', () => {
  it('has a section for every problem with its status, and no other', () => {
    expect(sections.map(({ name, status }) => [name, status])).toEqual(
      Object.entries(PROBLEMS).map(([name, { status }]) => [name, status]),
    );
  });

  it.each(sections)('$name: the request is answered as the page says', async ({ name, status, request, answer }) => {
    const [options, daemon] = SCENES[name] ?? [{}];
    await using http = await serve(options, daemon);
    if (name === 'rate-limited') await http.ask('/metrics', {}, null);
    const text = await sendRaw(http.address.port, bytesOf(request));
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/content-type: application\/problem\+json/i);
    expect(JSON.parse(body)).toEqual(answer);
    expect(text).not.toContain('canary');
  });
});
