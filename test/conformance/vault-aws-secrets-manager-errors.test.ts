import { describe, expect, it, vi } from 'vitest';
import { guardVault } from '../../src/vaults/guarded.ts';
import { ABSENT } from '../../src/vaults/contract.ts';

import type { AwsFault } from '../fakes/aws-secrets-manager-http.ts';
import { AwsBench, deliveredScene, refusal, text } from './aws-bench.ts';
import { hatchCanary, leakIn } from './canary.ts';
import { makeMark } from './vault-bench.ts';
import { createTestContext } from './vault-context.ts';

const ROLE = 'arn:aws:iam::123456789012:role/rekeyd';
const USER = 'arn:aws:sts::123456789012:assumed-role/pod/session';
describe('vault aws-secrets-manager: what goes wrong between it and AWS', () => {
  const scene = deliveredScene();

  /** What all calls are rejected with while a fault lasts. */
  async function refusals(fault: AwsFault) {
    const lift = scene.bench.fake.fail(fault);
    const absent = scene.bench.place();
    const errors = await Promise.all([
      refusal(scene.vault.describe(scene.ref, { prove: true })),
      refusal(scene.vault.describe(absent)),
      refusal(scene.vault.read(scene.ref)),
      refusal(scene.vault.deliver(scene.ref, text('two'), makeMark(2), scene.version)),
      refusal(scene.vault.deliver(absent, text('two'), makeMark(2), ABSENT)),
      refusal(scene.vault.restoreMark(scene.ref, makeMark(2), scene.version)),
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
    expect(await scene.vault.describe(scene.ref)).toMatchObject({
      version: scene.version,
      mark: makeMark(1),
      binding: 'bound',
    });
  });

  it.each([
    'GetSecretValue',
    'CreateSecret',
    'PutSecretValue',
    'UpdateSecretVersionStage',
    'TagResource',
    'RestoreSecret',
  ])('V15: names the right to %s where it is missing', async (action) => {
    if (action === 'RestoreSecret') await scene.bench.hands.client.deleteSecret({ SecretId: scene.ref.entry });
    const lift = scene.bench.fake.fail({ ...denied(action), operations: [action] });
    const work = {
      GetSecretValue: () => scene.vault.read(scene.ref),
      CreateSecret: () => scene.vault.deliver(scene.bench.place(), text('two'), makeMark(2), ABSENT),
    }[action];
    const error = await refusal(work?.() ?? scene.vault.deliver(scene.ref, text('two'), makeMark(2), scene.version));
    lift();
    expect(error).toMatchObject({
      fault: 'denied',
      message: expect.stringContaining(`secretsmanager:${action} `) as string,
    });
  });

  it('V11: a passing throttle is tried once more, and no more than that', async () => {
    const lift = scene.bench.fake.fail({ type: 'ThrottlingException', times: 1 });
    expect(await scene.vault.describe(scene.ref)).toMatchObject({ binding: 'bound' });
    lift();
    const always = scene.bench.fake.fail({ type: 'ThrottlingException' });
    scene.bench.fake.requests.length = 0;
    await refusal(scene.vault.describe(scene.ref));
    always();
    expect(scene.bench.fake.operations).toEqual(['DescribeSecret', 'DescribeSecret']);
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
      const lift = scene.bench.fake.fail({ ...fault, operations: ['PutSecretValue', 'GetSecretValue'] });
      const errors = [
        await refusal(scene.vault.deliver(scene.ref, text(canary.text), makeMark(2), scene.version)),
        await refusal(scene.vault.read(scene.ref)),
      ];
      lift();
      for (const error of errors) expect(leakIn(error, [canary])).toBeNull();
    }
    expect(leakIn(scene.vault, [canary])).toBeNull();
    expect(leakIn(scene.bench.context.printed(), [canary])).toBeNull();
    expect(printed).toEqual([]);
  });

  it('S1: no tag, and no other request than the one with the value, shows the value', async () => {
    const canary = hatchCanary();
    await scene.vault.deliver(scene.ref, text(canary.text), makeMark(2), scene.version);
    const others = scene.bench.fake.requests.filter(({ operation }) => operation !== 'PutSecretValue');
    expect(others.length).toBeGreaterThan(2);
    expect(leakIn(others, [canary])).toBeNull();
    expect(leakIn([...(await scene.bench.hands.tags(scene.ref))], [canary])).toBeNull();
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
    const unsafe = await scene.bench.vault({ endpoint: null, stsEndpoint: null });
    expect(await refusal(unsafe.describe(scene.ref))).toMatchObject({
      fault: 'rejected',
      message: expect.stringMatching(/AWS_ENDPOINT_URL.*must start with https/) as string,
    });
    const assuming = await scene.bench.vault({ stsEndpoint: null, roleArn: ROLE });
    expect(await refusal(assuming.describe(scene.ref))).toMatchObject({
      fault: 'rejected',
      message: expect.stringMatching(/AWS_ENDPOINT_URL.*must start with https/) as string,
    });
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    vi.stubEnv('AWS_ROLE_ARN', ROLE);
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', import.meta.filename); // any file will do: it is not sent
    const pod = await scene.bench.vault();
    expect(await refusal(pod.describe(scene.ref))).toMatchObject({
      fault: 'rejected',
      message: expect.stringMatching(/AWS_ENDPOINT_URL.*must start with https/) as string,
    });
    expect(scene.bench.fake.requests).toEqual([]);
  });

  it('S10: an answer that never comes ends with the time-out, and with the caller', async () => {
    const lift = scene.bench.fake.fail({ how: 'silent' });
    const context = { ...createTestContext(), timeout: 300 };
    const impatient = await scene.bench.vault({}, context);
    expect(await refusal(impatient.describe(scene.ref))).toMatchObject({
      fault: 'unavailable',
      message: expect.stringMatching(/in time/) as string,
    });
    const { meter, clock, ticker } = createTestContext();
    const guarded = guardVault(await scene.bench.vault(), {
      timeout: 60_000,
      requestsPerSecond: 10,
      ports: { clock, ticker },
      meter,
    });
    const stop = new AbortController();
    const reason = new Error('the caller gave up');
    const waiting = guarded.describe(scene.ref, {}, stop.signal);
    setTimeout(() => stop.abort(reason), 50);
    await expect(waiting).rejects.toBe(reason);
    lift();
  });
});

function denied(action: string): AwsFault {
  const message = `User: ${USER} is not authorized to perform: secretsmanager:${action} on resource: x because no identity-based policy allows it`;
  return { type: 'AccessDeniedException', message };
}
