import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DaemonApi } from '../../../src/daemon/api.ts';
import { Refusal } from '../../../src/daemon/api.ts';
import { PROBLEMS } from '../../../src/http/problem.ts';
import { fakeDaemon, OPERATOR, serve } from './fake-daemon.ts';
import type { Running } from './fake-daemon.ts';
import { OpenApiContract } from './openapi-contract.ts';
import type { Answer, Operation, Parameter } from './openapi-contract.ts';
import { nearlyFor, validFor, wild } from './schema-values.ts';
import type { JsonSchema } from './schema-values.ts';

/** Of all operations together, in milliseconds; the three kinds of values share it. */
const TIME = 12_000;
const RUNS = 60;
/** Nothing that is asked here takes long: an answer that is not there by then hangs. */
const PATIENCE = 5_000;

/** What the fake daemon does with the next act; null: what it is asked to. */
let refusal: Refusal | null = null;
function refusingDaemon(): Partial<DaemonApi> {
  const { daemon } = fakeDaemon();
  const wrapped = Object.entries(daemon).map(([name, method]) => [
    name,
    (...given: unknown[]): unknown => {
      if (refusal !== null) throw refusal;
      return (method as (...given: unknown[]) => unknown)(...given);
    },
  ]);
  return Object.fromEntries(wrapped) as Partial<DaemonApi>;
}

// the document is asked for before the tests are made: each operation has one of its own, a new one, too
const http: Running = await serve({}, refusingDaemon());
const contract = new OpenApiContract((await (await http.ask('/openapi.json', {}, null)).json()) as object);
const agent = new Agent({ keepAlive: true });
beforeAll(() => expect(contract.operations.length).toBeGreaterThan(15));
afterAll(async () => {
  agent.destroy();
  await http.server.close();
});

interface Sent {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Of a stream that does not end, the first part. @throws after {@link PATIENCE}. */
function send({ path, method, headers, body }: Sent): Promise<Answer & { readonly allow: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(PATIENCE);
    const sent = request({ host: '127.0.0.1', port: http.address.port, agent, path, method, headers, signal });
    sent.on('error', (error) => reject(signal.aborted ? new Error(`no answer to ${method} ${path}`) : error));
    sent.on('response', (response) => {
      const { statusCode: status = 0, headers: received } = response;
      const type = received['content-type'] ?? '';
      let text = '';
      const done = (): void => resolve({ status, type, text, allow: received.allow ?? '' });
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (!type.startsWith('text/event-stream')) return;
        done();
        response.destroy();
      });
      response.on('end', done);
      response.on('error', reject);
    });
    sent.end(body ?? undefined);
  });
}

type Values = (schema: JsonSchema) => fc.Arbitrary<unknown>;

/** A request of this operation, each of its parts taken from `values`. */
function requestsOf({ path, method, parameters, body }: Operation, values: Values): fc.Arbitrary<Sent> {
  const part = (place: Parameter['in']): fc.Arbitrary<Record<string, unknown>> => {
    const own = parameters.filter((each) => each.in === place);
    const model = Object.fromEntries(own.map(({ name, schema }) => [name, values(schema)]));
    return fc.record(model, { requiredKeys: own.filter(({ required }) => required === true).map(({ name }) => name) });
  };
  const bodies = body === null ? fc.constant(null) : fc.option(values(body.schema), { freq: 5 });
  return fc.tuple(part('path'), part('query'), part('header'), bodies).map(([names, query, headers, content]): Sent => {
    const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
    const url = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(text(names[name])));
    const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(text(value))}`);
    const sent = Object.entries(headers).map(([name, value]): [string, string] => [
      name,
      text(value).replace(/[^\x20-\x7e]/g, '~'),
    ]);
    return {
      path: pairs.length === 0 ? url : `${url}?${pairs.join('&')}`,
      method: method.toUpperCase(),
      headers: {
        ...Object.fromEntries(sent),
        authorization: `Bearer ${OPERATOR}`,
        ...(content === null ? {} : { 'content-type': 'application/json' }),
      },
      body: content === null ? null : JSON.stringify(content),
    };
  });
}

const refusals = fc.option(
  fc
    .constantFrom('not-found', 'conflict', 'too-soon', 'invalid', 'key-reused')
    .map((kind) => new Refusal(kind, 'not now', { reason: 'paused', retryAfter: 3 })),
  { freq: 3 },
);

function expectSound(operation: Operation, answer: Answer): void {
  expect(contract.complaints(operation, answer)).toEqual([]);
  expect(answer.status).toBeLessThan(500);
  expect(answer.text).not.toMatch(/node_modules|\.[jt]s:\d|FST_|ZodError|SyntaxError|must-not-get-out/);
  expect(answer.text).not.toContain(OPERATOR);
  if (answer.status < 400) return;
  const { type, status } = JSON.parse(answer.text) as { type: string; status: number };
  const name = type.replace('urn:rekeyd:problem:', '');
  expect(PROBLEMS).toHaveProperty(name);
  expect([status, PROBLEMS[name as keyof typeof PROBLEMS].status]).toEqual([answer.status, answer.status]);
}

const kinds: readonly (readonly [string, Values])[] = [
  ['valid', validFor],
  ['nearly valid', nearlyFor],
  ['wild', () => wild],
];
const limit = {
  numRuns: RUNS,
  interruptAfterTimeLimit: TIME / (contract.operations.length * kinds.length),
  markInterruptAsFailure: false,
};

describe.each(contract.operations)('$method $path answers as documented', (operation) => {
  it('lets a valid request through', async () => {
    for (const sent of fc.sample(requestsOf(operation, validFor), { numRuns: 50, seed: 1 })) {
      const answer = await send(sent);
      if (answer.status >= 300) continue;
      expectSound(operation, answer);
      return;
    }
    expect.fail('none of 50 valid requests got through: the schema lets in what is refused');
  });

  it.each(kinds)('whatever %s request comes', async (_kind, values) => {
    const asked = fc.tuple(requestsOf(operation, values), operation.method === 'get' ? fc.constant(null) : refusals);
    await fc.assert(
      fc.asyncProperty(asked, async ([sent, next]) => {
        refusal = next;
        expectSound(operation, await send(sent).finally(() => (refusal = null)));
      }),
      limit,
    );
  });
});

describe('a method that is not documented', () => {
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];
  it.each([...new Set(contract.operations.map(({ path }) => path))])(
    'of %s is refused, and says which are',
    async (path) => {
      const own = contract.operations.filter((each) => each.path === path).map((each) => each.method.toUpperCase());
      for (const method of methods.filter((each) => !own.includes(each))) {
        const url = path.replace(/\{\w+\}/g, 'x');
        const answer = await send({ path: url, method, headers: { authorization: `Bearer ${OPERATOR}` }, body: null });
        expect([method, answer.status]).toEqual([method, 405]);
        expect(
          answer.allow
            .split(', ')
            .filter((each) => each !== 'HEAD')
            .sort(),
        ).toEqual(own.sort());
      }
    },
  );
});

describe('the check of answers', () => {
  it('would be told of an answer that is not documented', () => {
    const operation = contract.operations.find(({ path }) => path === '/livez');
    if (operation === undefined) throw new Error('there is no /livez');
    const good = { status: 200, type: 'application/json; charset=utf-8', text: '{"status":"ok"}' };
    expect(contract.complaints(operation, good)).toEqual([]);
    const bad = [{ status: 201 }, { status: 302 }, { type: 'text/html' }, { text: '{"status":"no"}' }, { text: '{' }];
    for (const change of bad) expect(contract.complaints(operation, { ...good, ...change })).toHaveLength(1);
  });
});
