import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Faults } from '../../../src/emulator/faults.ts';
import type { FaultInput, Operation } from '../../../src/emulator/faults.ts';
import { credentialWithSecret, failure, start, token } from './caller.ts';
import type { Caller } from './caller.ts';

type Rule = NonNullable<FaultInput['rules']>[number];

describe('faults of one request', () => {
  let caller: Caller;
  let id: string;
  let secretId: number;
  beforeEach(async () => {
    caller = await start();
    ({ id, secretId } = await credentialWithSecret(caller, { description: 'one', expires: '2031-01-01T00:00:00Z' }));
  });
  afterEach(() => caller.emulator.close());

  const once = (rule: Rule): void => caller.emulator.faults.set({ rules: [{ count: 1, ...rule }] });
  const create = () => caller.post(`/ClientCredential/${id}/secrets`, { description: 'two' });
  const descriptions = (): (string | null)[] =>
    Array.from(caller.emulator.account.credential(id).secrets.values(), ({ description }) => description);

  it('reset: the connection is reset and nothing was done', async () => {
    once({ kind: 'reset' });
    expect(await failure(create())).toBe('ECONNRESET');
    expect(descriptions()).toEqual(['one']);
    expect((await create()).status).toBe(201);
  });

  it('lost-answer: done, then the connection is reset', async () => {
    once({ kind: 'lost-answer' });
    expect(await failure(create())).toBe('ECONNRESET');
    expect(descriptions()).toEqual(['one', 'two']);
  });

  it('late-landing: reset at once, done later', async () => {
    once({ kind: 'late-landing', delay: 60 });
    expect(await failure(create())).toBe('ECONNRESET');
    expect(descriptions()).toEqual(['one']);
    await expect.poll(descriptions).toEqual(['one', 'two']);
  });

  it('late-landing: dropped when the emulator closes before', async () => {
    once({ kind: 'late-landing', delay: 60_000 });
    expect(await failure(create())).toBe('ECONNRESET');
    await caller.emulator.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(descriptions()).toEqual(['one']);
  });

  it('hang: no answer until the caller gives up, nothing done; closing does not wait for it', async () => {
    once({ kind: 'hang' });
    const { url } = caller.emulator;
    const signal = AbortSignal.timeout(50);
    expect(await failure(fetch(`${url}/ClientCredential`, { signal }))).not.toBe('ECONNRESET');
    once({ kind: 'hang' });
    const waiting = failure(fetch(`${url}/ClientCredential`));
    await expect.poll(() => caller.emulator.faults.hits()).toEqual([1]);
    await caller.emulator.close();
    expect(await waiting).toBeDefined();
  });

  it('throttle: 429 with Retry-After as given, nothing done', async () => {
    once({ kind: 'throttle', retryAfter: 'soon' });
    const answer = await create();
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, 'soon']);
    expect(answer.json).toMatchObject({ status: 429 });
    expect(descriptions()).toEqual(['one']);
  });

  it.each([
    [false, ['one']],
    [true, ['one', 'two']],
  ])('unavailable and bad-gateway with applied %s', async (applied, expected) => {
    once({ kind: 'unavailable', applied, retryAfter: '3' });
    const unavailable = await create();
    expect([unavailable.status, unavailable.headers.get('retry-after')]).toEqual([503, '3']);
    expect(descriptions()).toEqual(expected);
    once({ kind: 'bad-gateway', applied });
    const bad = await create();
    expect([bad.status, bad.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(bad.text).toContain('<html>');
    expect(descriptions()).toHaveLength(applied ? 3 : 1);
  });

  it.each([
    ['unauthorized', 401],
    ['forbidden', 403],
  ] as const)('%s: %i whatever the token', async (kind, status) => {
    once({ kind });
    expect((await create()).status).toBe(status);
    expect(descriptions()).toEqual(['one']);
  });

  it('malformed: done, but the JSON ends in the middle, of lists too', async () => {
    once({ kind: 'malformed' });
    const answer = await create();
    expect([answer.status, answer.json]).toEqual([201, undefined]);
    expect(answer.text).toMatch(/^\{/);
    expect(descriptions()).toEqual(['one', 'two']);
    once({ kind: 'malformed' });
    expect((await caller.get('/ClientCredential')).json).toBeUndefined();
  });

  it('no-value: done, but the answer lacks the value', async () => {
    once({ kind: 'no-value' });
    const answer = await create();
    expect(answer.status).toBe(201);
    expect(answer.json).not.toHaveProperty('generatedSecret');
    expect(answer.json).toHaveProperty('clientSecretId');
  });

  it('ignore: a PUT or DELETE is answered with success and not done', async () => {
    caller.emulator.faults.set({ rules: [{ kind: 'ignore', operations: ['updateSecret', 'deleteSecret'] }] });
    const path = `/ClientCredential/${id}/secrets/${secretId}`;
    expect((await caller.put(path, { description: 'changed' })).status).toBe(204);
    expect((await caller.delete(path)).status).toBe(204);
    expect(descriptions()).toEqual(['one']);
    expect((await caller.delete(`/ClientCredential/${id}/secrets/999`)).status).toBe(404);
  });

  it('replace: a PUT leaves only what it gives', async () => {
    once({ kind: 'replace', operations: ['updateSecret'] });
    const path = `/ClientCredential/${id}/secrets/${secretId}`;
    await caller.put(path, { description: 'changed' });
    expect((await caller.get(path)).json).toMatchObject({ description: 'changed', expires: null });
  });

  it('latency: the request waits, and another fault may come on top', async () => {
    caller.emulator.faults.set({
      rules: [{ kind: 'latency', delay: 40 }, { kind: 'throttle' }, { kind: 'latency', delay: 20 }],
    });
    const before = performance.now();
    expect((await create()).status).toBe(429);
    expect(performance.now() - before).toBeGreaterThan(55);
  });

  it('is written to the log beside what was answered, without any value', async () => {
    caller.emulator.log.clear();
    once({ kind: 'lost-answer', operations: ['createSecret'] });
    await failure(create());
    await create();
    await token(caller.emulator);
    const entries = caller.emulator.log.entries();
    expect(entries).toMatchObject([
      {
        operation: 'createSecret',
        method: 'POST',
        path: `/ClientCredential/${id}/secrets`,
        status: null,
        fault: 'lost-answer',
      },
      { operation: 'createSecret', status: 201, fault: null },
      { operation: 'token', path: '/connect/token', status: 200, fault: null },
    ]);
    expect(JSON.stringify(entries)).not.toContain(caller.emulator.bootstrap.clientSecret);
  });
});

describe('the choice of a fault', () => {
  const decisions = (input: FaultInput, operations: readonly Operation[]): (string | null)[] => {
    const faults = new Faults(input);
    return operations.map((operation) => faults.decide(operation).fault?.kind ?? null);
  };
  const many = (operation: Operation, count: number): Operation[] => Array.from({ length: count }, () => operation);

  it('is limited to operations, skips, and ends after its count', () => {
    const rules: Rule[] = [{ kind: 'reset', operations: ['createSecret'], skip: 1, count: 2 }];
    expect(
      decisions({ rules }, ['createSecret', 'listSecrets', 'createSecret', 'token', 'createSecret', 'createSecret']),
    ).toEqual([null, null, 'reset', null, 'reset', null]);
  });

  it('takes the first rule that hits, and the next once that is used up', () => {
    const rules: Rule[] = [
      { kind: 'throttle', count: 1 },
      { kind: 'unavailable', count: 1 },
    ];
    expect(decisions({ rules }, many('token', 3))).toEqual(['throttle', 'unavailable', null]);
  });

  it('hits with the probability that is asked for, and the same requests for the same seed', () => {
    const input = (seed: number): FaultInput => ({ seed, rules: [{ kind: 'reset', probability: 0.2 }] });
    const first = decisions(input(7), many('token', 2_000));
    const share = first.filter((kind) => kind !== null).length / first.length;
    expect(share).toBeGreaterThan(0.16);
    expect(share).toBeLessThan(0.24);
    expect(decisions(input(7), many('token', 2_000))).toEqual(first);
    expect(decisions(input(8), many('token', 2_000))).not.toEqual(first);
  });

  it('refuses what is no switch', () => {
    expect(() => new Faults({ rules: [{ kind: 'rest' as 'reset' }] })).toThrow();
    expect(() => new Faults({ maxSecret: 3 } as FaultInput)).toThrow();
    const faults = new Faults({ maxSecrets: 3 });
    expect(() => faults.set({ listLag: -1 })).toThrow();
    expect(faults.settings.maxSecrets).toBe(3);
  });
});
