import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { guardVault } from '../../src/vaults/guarded.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import type { AwsFault } from '../fakes/aws-secrets-manager-http.ts';
import { AwsBench, refusal, text } from './aws-bench.ts';
import { hatchCanary, leakIn } from './canary.ts';
import { makeMark } from './vault-bench.ts';
import { createTestContext } from './vault-context.ts';

const ROLE = 'arn:aws:iam::123456789012:role/rekeyd';
const USER = 'arn:aws:sts::123456789012:assumed-role/pod/session';
describe('vault aws-secrets-manager: what goes wrong between it and AWS', () => {
  let bench: AwsBench;
  let vault: Vault;
  let ref: EntryRef;
  let version: string;

  beforeAll(async () => {
    bench = await AwsBench.open();
    vault = await bench.vault();
  });
  beforeEach(async () => {
    ref = bench.place();
    ({ version } = await vault.deliver(ref, text('one'), makeMark(1), ABSENT));
    bench.fake.requests.length = 0;
  });
  afterEach(() => {
    bench.fake.heal();
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });
  afterAll(() => bench.close());

  /** What all calls are rejected with while a fault lasts. */
  async function refusals(fault: AwsFault) {
    const lift = bench.fake.fail(fault);
    const absent = bench.place();
    const errors = await Promise.all([
      refusal(vault.describe(ref, { prove: true })),
      refusal(vault.describe(absent)),
      refusal(vault.read(ref)),
      refusal(vault.deliver(ref, text('two'), makeMark(2), version)),
      refusal(vault.deliver(absent, text('two'), makeMark(2), ABSENT)),
      refusal(vault.restoreMark(ref, makeMark(2), version)),
    ]);
    lift();
    return errors;
  }

  it.each<[string, AwsFault, string, RegExp]>([
    [
      'V15: a denied action',
      denied('DescribeSecret'),
      'denied',
      /assumed-role\/pod\/session is not allowed secretsmanager:DescribeSecret/,
    ],
    ['V15: status 403 without a type', { status: 403, body: '<html>no</html>' }, 'denied', /status 403/],
    ['V15: unknown credentials', { type: 'UnrecognizedClientException' }, 'denied', /credentials/],
    ['V15: expired credentials', { type: 'ExpiredTokenException' }, 'denied', /expired/],
    ['V11: a throttled account', { type: 'ThrottlingException' }, 'throttled', /throttles/],
    ['V11: status 429 without a type', { status: 429, body: '' }, 'throttled', /throttles/],
    ['an internal error', { status: 500, type: 'InternalServiceError' }, 'unavailable', /internal error/],
    ['a bad gateway', { status: 502, body: '<html>bad gateway</html>' }, 'unavailable', /status 502/],
    ['a connection that is cut', { how: 'lost' }, 'unavailable', /cannot be reached \(E/],
    ['an answer that is no JSON', { status: 200, body: '<html>hello</html>' }, 'malformed', /cannot be read/],
    ['an answer about nothing', { status: 200, body: '{}' }, 'malformed', /not about this/],
    ['an answer without end', { status: 200, body: `"${'x'.repeat(1_100_000)}"` }, 'malformed', /too large/],
    ['an unknown type of error', { type: 'NoSuchTypeException' }, 'rejected', /status 400/],
  ])('%s is an error of its kind, never absence', async (_, fault, kind, why) => {
    for (const error of await refusals(fault)) {
      expect(error).toMatchObject({ fault: kind, vault: 'under-test', message: expect.stringMatching(why) as string });
      expect(error.message).toContain("Vault 'under-test', entry 'traps/");
      expect(error.cause).toBeUndefined();
    }
    expect(await vault.describe(ref)).toMatchObject({ version, mark: makeMark(1), binding: 'bound' });
  });

  it.each([
    'GetSecretValue',
    'CreateSecret',
    'PutSecretValue',
    'UpdateSecretVersionStage',
    'TagResource',
    'RestoreSecret',
  ])('V15: names the right to %s where it is missing', async (action) => {
    if (action === 'RestoreSecret') await bench.hands.client.deleteSecret({ SecretId: ref.entry });
    const lift = bench.fake.fail({ ...denied(action), operations: [action] });
    const work = {
      GetSecretValue: () => vault.read(ref),
      CreateSecret: () => vault.deliver(bench.place(), text('two'), makeMark(2), ABSENT),
    }[action];
    const error = await refusal(work?.() ?? vault.deliver(ref, text('two'), makeMark(2), version));
    lift();
    expect(error).toMatchObject({
      fault: 'denied',
      message: expect.stringContaining(`secretsmanager:${action} `) as string,
    });
  });

  it('V11: a passing throttle is tried once more, and no more than that', async () => {
    const lift = bench.fake.fail({ type: 'ThrottlingException', times: 1 });
    expect(await vault.describe(ref)).toMatchObject({ binding: 'bound' });
    lift();
    const always = bench.fake.fail({ type: 'ThrottlingException' });
    bench.fake.requests.length = 0;
    await refusal(vault.describe(ref));
    always();
    expect(bench.fake.operations).toEqual(['DescribeSecret', 'DescribeSecret']);
  });

  it('S1: a value that AWS quotes in an error goes nowhere', async () => {
    const canary = hatchCanary();
    const printed: unknown[] = [];
    for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      vi.spyOn(console, level).mockImplementation((...given) => void printed.push(given));
    }
    const quoting: AwsFault[] = [
      { type: 'ValidationException', message: `Value '${canary.text}' at 'secretString' failed` },
      { type: canary.text, message: canary.text },
      { type: 'AccessDeniedException', message: `User: ${canary.text} is not authorized to perform: x on KMS` },
      {
        type: 'InternalServiceError',
        status: 500,
        message: canary.text,
        headers: { 'x-amzn-requestid': canary.forms[0]! },
      },
      { status: 200, body: `{"SecretString": ${canary.text}` },
      { status: 500, body: canary.text },
      { status: 400, body: JSON.stringify({ __type: 'x', code: canary.text, Message: canary.text }) },
    ];
    for (const fault of quoting) {
      const lift = bench.fake.fail({ ...fault, operations: ['PutSecretValue', 'GetSecretValue'] });
      const errors = [
        await refusal(vault.deliver(ref, text(canary.text), makeMark(2), version)),
        await refusal(vault.read(ref)),
      ];
      lift();
      for (const error of errors) expect(leakIn(error, [canary])).toBeNull();
    }
    expect(leakIn(vault, [canary])).toBeNull();
    expect(leakIn(bench.context.printed(), [canary])).toBeNull();
    expect(printed).toEqual([]);
  });

  it('S1: no tag, and no other request than the one with the value, shows the value', async () => {
    const canary = hatchCanary();
    await vault.deliver(ref, text(canary.text), makeMark(2), version);
    const others = bench.fake.requests.filter(({ operation }) => operation !== 'PutSecretValue');
    expect(others.length).toBeGreaterThan(2);
    expect(leakIn(others, [canary])).toBeNull();
    expect(leakIn([...(await bench.hands.tags(ref))], [canary])).toBeNull();
  });

  it.each([301, 302, 307, 308])('S9: a redirect (%i) is not followed', async (status) => {
    const elsewhere = await AwsBench.open();
    const errors = await refusals({ status, body: '', headers: { location: elsewhere.fake.url } });
    for (const error of errors)
      expect(error).toMatchObject({ fault: 'unavailable', message: expect.stringMatching(/redirect/) as string });
    expect(elsewhere.fake.requests).toEqual([]);
    await elsewhere.close();
  });

  it('S9: nothing is sent to an endpoint in the clear, wherever it is configured', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://aws.example');
    const unsafe = await bench.vault({ endpoint: null, stsEndpoint: null });
    expect(await refusal(unsafe.describe(ref))).toMatchObject({
      fault: 'rejected',
      message: expect.stringMatching(/AWS_ENDPOINT_URL.*must start with https/) as string,
    });
    const assuming = await bench.vault({ stsEndpoint: null, roleArn: ROLE });
    expect(await refusal(assuming.describe(ref))).toMatchObject({
      fault: 'rejected',
      message: expect.stringMatching(/AWS_ENDPOINT_URL.*must start with https/) as string,
    });
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    vi.stubEnv('AWS_ROLE_ARN', ROLE);
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', import.meta.filename); // any file will do: it is not sent
    const pod = await bench.vault();
    expect(await refusal(pod.describe(ref))).toMatchObject({
      fault: 'rejected',
      message: expect.stringMatching(/AWS_ENDPOINT_URL.*must start with https/) as string,
    });
    expect(bench.fake.requests).toEqual([]);
  });

  it('S10: an answer that never comes ends with the time-out, and with the caller', async () => {
    const lift = bench.fake.fail({ how: 'silent' });
    const context = { ...createTestContext(), timeout: 300 };
    const impatient = await bench.vault({}, context);
    expect(await refusal(impatient.describe(ref))).toMatchObject({
      fault: 'unavailable',
      message: expect.stringMatching(/in time/) as string,
    });
    const { meter, clock, ticker } = createTestContext();
    const guarded = guardVault(await bench.vault(), {
      timeout: 60_000,
      requestsPerSecond: 10,
      ports: { clock, ticker },
      meter,
    });
    const stop = new AbortController();
    const reason = new Error('the caller gave up');
    const waiting = guarded.describe(ref, {}, stop.signal);
    setTimeout(() => stop.abort(reason), 50);
    await expect(waiting).rejects.toBe(reason);
    lift();
  });
});

function denied(action: string): AwsFault {
  const message = `User: ${USER} is not authorized to perform: secretsmanager:${action} on resource: x because no identity-based policy allows it`;
  return { type: 'AccessDeniedException', message };
}
