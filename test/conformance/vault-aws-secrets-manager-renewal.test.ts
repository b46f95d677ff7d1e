import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { MINUTE } from '../../src/domain/time.ts';
import { ROLE_KEY } from '../fakes/aws-secrets-manager-http.ts';
import { deliveredScene, refusal } from './aws-bench.ts';
import { createTestContext } from './vault-context.ts';

const ROLE = 'arn:aws:iam::123456789012:role/rekeyd';

describe('vault aws-secrets-manager: a shared credentials file that another process renews', () => {
  const scene = deliveredScene();
  let file: string;

  /** What `aws_signing_helper update` or the SSM agent writes. */
  const renew = (key: string): void => {
    writeFileSync(
      file,
      `[default]\naws_access_key_id = ${key}\naws_secret_access_key = secret-of-${key}\naws_session_token = token-of-${key}\n`,
    );
  };
  const later = (): Promise<void> => scene.bench.context.clock.advance(MINUTE);
  /** Each request so far, with the key that signed it. */
  const signed = (): string[] =>
    scene.bench.fake.requests.map(({ operation, headers }) => {
      const key = /Credential=(\w+)\//.exec(headers.authorization ?? '')?.[1] ?? 'nobody';
      return `${operation} by ${key}`;
    });

  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'rekeyd-aws-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    file = join(folder, 'credentials');
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
  });

  it('is read again, once a minute at most', async () => {
    renew('ASIAFIRST');
    const vault = await scene.bench.vault();
    await vault.describe(scene.ref);
    renew('ASIASECOND');
    await vault.describe(scene.ref);
    await later();
    await vault.describe(scene.ref);
    expect(signed()).toEqual([
      'DescribeSecret by ASIAFIRST',
      'DescribeSecret by ASIAFIRST',
      'DescribeSecret by ASIASECOND',
    ]);
    expect(scene.bench.fake.requests.at(-1)?.headers['x-amz-security-token']).toBe('token-of-ASIASECOND');
  });

  it('is read again by a vault that is opened anew, and where it was not there at first', async () => {
    const vault = await scene.bench.vault();
    expect(await refusal(vault.describe(scene.ref))).toMatchObject({ fault: 'unavailable' });
    renew('ASIAFIRST');
    await vault.describe(scene.ref);
    renew('ASIASECOND');
    await (await scene.bench.vault()).describe(scene.ref);
    expect(signed()).toEqual(['DescribeSecret by ASIAFIRST', 'DescribeSecret by ASIASECOND']);
  });

  it('is read again for the role that it assumes', async () => {
    renew('ASIAFIRST');
    const vault = await scene.bench.vault({ roleArn: ROLE });
    const lift = scene.bench.fake.fail({ operations: ['AssumeRole'], status: 403, type: 'ExpiredToken' });
    expect(await refusal(vault.describe(scene.ref))).toMatchObject({
      fault: 'denied',
      message: expect.stringMatching(/have expired.*Authentication/) as string,
    });
    lift();
    renew('ASIASECOND');
    await later();
    await vault.describe(scene.ref);
    expect(signed()).toEqual(['AssumeRole by ASIAFIRST', 'AssumeRole by ASIASECOND', `DescribeSecret by ${ROLE_KEY}`]);
  });

  it.each([
    ['gone', () => rmSync(file)],
    ['half written', () => writeFileSync(file, '[default]\naws_access_key_id = ASIASEC')],
  ])('leaves what was read before in use while it is %s, and tells', async (_how, spoil) => {
    renew('ASIAFIRST');
    const context = createTestContext();
    const vault = await scene.bench.vault({}, context);
    await vault.describe(scene.ref);
    spoil();
    await context.clock.advance(MINUTE);
    await vault.describe(scene.ref);
    expect(signed()).toEqual(['DescribeSecret by ASIAFIRST', 'DescribeSecret by ASIAFIRST']);
    expect(context.printed()).toMatch(/vault-credentials-kept .*no AWS credentials were found/s);
    renew('ASIASECOND');
    await context.clock.advance(MINUTE);
    await vault.describe(scene.ref);
    expect(signed().at(-1)).toBe('DescribeSecret by ASIASECOND');
  });

  it("does not give way to the machine's role while it is half written", async () => {
    const role = { AccessKeyId: 'ASIAMACHINE', SecretAccessKey: 's', Token: 't', Expiration: '2099-01-01T00:00:00Z' };
    const machine = createServer((_request, response) => response.end(JSON.stringify(role))).listen(0, '127.0.0.1');
    onTestFinished(() => void machine.close());
    await once(machine, 'listening');
    const { port } = machine.address() as AddressInfo;
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${port}/`);
    await (await scene.bench.vault()).describe(scene.ref);
    renew('ASIAFIRST');
    const context = createTestContext();
    const vault = await scene.bench.vault({}, context);
    await vault.describe(scene.ref);
    rmSync(file);
    await context.clock.advance(MINUTE);
    await vault.describe(scene.ref);
    expect(signed()).toEqual([
      'DescribeSecret by ASIAMACHINE',
      'DescribeSecret by ASIAFIRST',
      'DescribeSecret by ASIAFIRST',
    ]);
    expect(context.printed()).toMatch(/vault-credentials-kept .*found a role's instead/s);
  });
});
