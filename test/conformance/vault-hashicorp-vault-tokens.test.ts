import { describe, expect, it, vi } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import { makeMark } from './vault-bench.ts';
import { APPROLE, LOGIN, loginScene, ref } from './hashicorp-login-scene.ts';

const scene = loginScene();
const { connect, allow, file, failure } = scene;

const RENEW = /renew-self$/;
describe('a token got by a login', () => {
  it('is renewed in the last third of its life, behind the calls that go on with it', async () => {
    allow('approle');
    const vault = await connect(APPROLE);
    await vault.describe(ref);
    await scene.context.clock.advance(39 * MINUTE);
    await vault.describe(ref);
    expect(scene.server.count('POST', RENEW)).toBe(0);
    await scene.context.clock.advance(2 * MINUTE);
    await Promise.all([vault.describe(ref), vault.describe(ref)]);
    await vi.waitFor(() => expect(scene.server.count('POST', RENEW)).toBe(1));
    await scene.context.clock.settle(5);
    await scene.context.clock.advance(39 * MINUTE);
    await vault.describe(ref);
    expect(scene.server.count('POST', LOGIN)).toBe(1);
  });

  it('is measured by the monotonic clock', async () => {
    allow('approle');
    const vault = await connect(APPROLE);
    await vault.describe(ref);
    scene.context.clock.jump(30 * 24 * HOUR);
    await vault.describe(ref);
    expect([scene.server.count('POST', LOGIN), scene.server.count('POST', RENEW)]).toEqual([1, 0]);
  });

  it('is replaced by a login where its longest life is near, so that it is not renewed for ever less', async () => {
    allow('approle', { ttl: 3600, maxTtl: 4500 });
    const vault = await connect(APPROLE);
    const left: number[] = [];
    for (let minutes = 0; minutes < 300; minutes += 5) {
      await vault.describe(ref);
      const token = String(scene.server.seen.at(-1)!.headers['x-vault-token']);
      left.push(scene.server.tokens.get(token)!.endsAt - scene.context.clock.monotonic());
      await new Promise((resolve) => setTimeout(resolve, 5)); // the refresh behind the call
      await scene.context.clock.advance(5 * MINUTE);
    }
    expect(scene.server.count('POST', LOGIN)).toBeGreaterThan(3);
    expect(Math.min(...left)).toBeGreaterThan(8 * MINUTE);
  });

  it('is replaced by a login where it cannot be renewed', async () => {
    allow('approle');
    const vault = await connect(APPROLE);
    await vault.describe(ref);
    scene.server.script = ({ path }) =>
      RENEW.test(path) ? { status: 403, body: '{"errors":["permission denied"]}' } : null;
    await scene.context.clock.advance(45 * MINUTE);
    await vault.describe(ref);
    await vi.waitFor(() => expect(scene.server.count('POST', LOGIN)).toBe(2));
  });

  it('is kept while it is good and the server cannot renew it, which is told', async () => {
    allow('approle');
    const vault = await connect(APPROLE);
    await vault.describe(ref);
    scene.server.script = ({ path }) => (RENEW.test(path) ? { status: 500, body: '' } : null);
    await scene.context.clock.advance(45 * MINUTE);
    for (let call = 0; call < 4; call++) await vault.describe(ref);
    await vi.waitFor(() => expect(scene.context.printed()).toContain('vault-token-not-renewed'));
    await vault.describe(ref);
    expect(scene.server.count('POST', RENEW)).toBe(1);
    await scene.context.clock.advance(6 * SECOND);
    await vault.describe(ref);
    await vi.waitFor(() => expect(scene.server.count('POST', RENEW)).toBe(2));
  });

  it('that was revoked is replaced, and what it kept from being done is done once', async () => {
    allow('approle');
    const vault = await connect(APPROLE);
    await vault.describe(ref);
    scene.server.tokens.delete('made-1');
    const payload = { form: 'opaque', content: SecretValue.of('x') } as const;
    await vault.deliver(ref, payload, makeMark(1), ABSENT);
    expect(scene.server.count('POST', LOGIN)).toBe(2);
    expect(scene.server.count('POST', /^secret\/data/)).toBe(1);
    scene.server.tokens.delete('made-2');
    await Promise.all(Array.from({ length: 6 }, () => vault.read(ref)));
    expect(scene.server.count('POST', LOGIN)).toBe(3);
  });

  it('is given back at the end, and a token that was given is not', async () => {
    allow('approle');
    const vault = await connect(APPROLE);
    await vault.describe(ref);
    await vault.close();
    expect(scene.server.tokens.has('made-1')).toBe(false);
    expect(await failure(vault.describe(ref))).toMatchObject({ fault: 'unavailable' });
    scene.server.issue('given', 0, false);
    const other = await connect({ method: 'token', token: 'given' });
    await other.describe(ref);
    await other.close();
    expect(scene.server.tokens.has('given')).toBe(true);
  });

  it('holds up the end no longer than the time-out, where the server is silent', async () => {
    allow('approle');
    const vault = await connect(APPROLE);
    await vault.describe(ref);
    scene.server.script = () => ({ hang: true });
    const closed = vault.close();
    await vi.waitFor(() => expect(scene.server.count('POST', /revoke-self/)).toBe(1));
    await scene.context.clock.advance(scene.context.timeout);
    await closed;
  });
});

describe('a token that was given', () => {
  it('is renewed also while nobody asks for anything', async () => {
    scene.server.issue('given', 3600, true);
    const vault = await connect({ method: 'token', token: 'given' });
    await vault.describe(ref);
    for (let time = 1; time <= 6; time++) {
      await scene.context.clock.advance(41 * MINUTE);
      await vi.waitFor(() => expect(scene.server.count('POST', RENEW)).toBe(time));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await vault.describe(ref);
    expect(scene.server.count('GET', /lookup-self/)).toBe(1);
  });

  it('that can be renewed no longer is told before it ends, and then is denied', async () => {
    scene.server.issue('given', 3600, true, 4000);
    const vault = await connect({ method: 'token', token: 'given' });
    await vault.describe(ref);
    await scene.context.clock.advance(45 * MINUTE);
    await vi.waitFor(() => expect(scene.context.printed()).toContain('vault-token-ends'));
    await scene.context.clock.freeze(HOUR);
    const error = await failure(vault.describe(ref));
    expect(error).toMatchObject({ fault: 'denied', message: expect.stringContaining('fresh one') as string });
  });

  it('in a file is read again when it has ended, as an agent leaves a fresh one there', async () => {
    scene.server.issue('one', 60, false);
    const path = file('sink', 'one');
    const vault = await connect({ method: 'token', file: path });
    await vault.describe(ref);
    scene.server.issue('two', 0, false);
    file('sink', 'two');
    await scene.context.clock.freeze(2 * MINUTE);
    await vault.describe(ref);
    expect(scene.server.seen.at(-1)!.headers['x-vault-token']).toBe('two');
  });

  it('that the server does not know is denied, and is looked at again with the next call', async () => {
    const vault = await connect({ method: 'token', token: 'late' });
    expect(await failure(vault.describe(ref))).toMatchObject({ fault: 'denied' });
    scene.server.issue('late', 0, false);
    await vault.describe(ref);
  });
});
