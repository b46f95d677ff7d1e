import { describe, expect, it } from 'vitest';
import { FakeVaultServer } from '../fakes/hashicorp-vault-http.ts';
import type { ScriptedAnswer } from '../fakes/hashicorp-vault-http.ts';
import { canary, ref, refusalScene, TOKEN } from './hashicorp-refusal-scene.ts';

const scene = refusalScene();
const { calls, failure, answer } = scene;

/** An answer that quotes what it was sent, as servers and proxies do. */
function quoting(status: number, said = ''): ScriptedAnswer {
  return { status, body: JSON.stringify({ errors: [`${said} ${canary.text} ${TOKEN}`] }) };
}

describe.each(calls)('%s', (_, call) => {
  it.each([
    [400, '', 'rejected', /refused/],
    [400, 'Upgrading from non-versioned to versioned data.', 'unavailable', /upgraded/],
    [403, '', 'denied', /policy must grant .* on "secret\/(data|metadata)\/prod\/orders"/],
    [404, 'no handler for route "secret/data/x". route entry not found.', 'unavailable', /nothing is mounted/],
    [404, 'namespace not found', 'unavailable', /no such namespace/],
    [405, 'unsupported operation', 'rejected', /1\.9/],
    [413, '', 'rejected', /larger/],
    [429, 'request path: rate limit quota exceeded', 'throttled', /requestsPerSecond/],
    [500, 'internal error', 'unavailable', /error of the server/],
    [503, 'Vault is sealed', 'unavailable', /sealed/],
  ] as const)(
    'S1, V11, V15: makes of %i %s the fault %s, says what to do, and quotes nothing',
    async (status, said, fault, message) => {
      answer(quoting(status, said));
      expect(await failure(call())).toMatchObject({
        fault,
        entry: ref.entry,
        message: expect.stringMatching(message) as string,
      });
      expect(scene.server.count('POST', /login/)).toBe(0);
    },
  );

  it.each([
    ['HTML of a proxy', { status: 404, body: '<html>Not Found</html>' }],
    ['JSON of something else', { status: 404, body: '{"message":"no such page"}' }],
    ['nothing at all', { status: 404, body: '' }],
    ['a list of errors that is none', { status: 404, body: '{"errors":"none"}' }],
  ])('V15: does not take a 404 with %s for absence', async (_what, scripted) => {
    answer(scripted);
    expect(await failure(call())).toMatchObject({ fault: 'unavailable' });
  });

  it.each([
    ['no JSON', canary.text],
    ['JSON of something else', '{"data":{"hello":1}}'],
    ['nothing', ''],
  ])('S1: a success with %s is malformed', async (_what, body) => {
    answer({ status: 200, body });
    expect(await failure(call())).toMatchObject({ fault: 'malformed' });
  });

  it('S9: does not follow a redirect, and sends the token nowhere else', async () => {
    const elsewhere = await FakeVaultServer.start();
    for (const status of [301, 302, 307, 308]) {
      answer({ status, headers: { location: `${elsewhere.url}/v1/secret/data/prod/orders` } });
      expect(await failure(call())).toMatchObject({
        fault: 'unavailable',
        message: expect.stringContaining('redirect') as string,
      });
    }
    expect(elsewhere.seen).toEqual([]);
    await elsewhere.stop();
  });

  it('V15: tells a token without any right as denied, and does not log in again for it', async () => {
    scene.server.denied = true;
    expect(await failure(call())).toMatchObject({ fault: 'denied' });
    expect(scene.server.seen.filter(({ path }) => path === 'auth/token/lookup-self')).toHaveLength(2);
  });
});

describe('the connection', () => {
  it('is left in the middle of a call where the caller gives up, with his reason', async () => {
    answer({ hang: true });
    const stop = new AbortController();
    const reason = new Error('the caller gave up');
    const work = scene.vault.read(ref, stop.signal);
    setTimeout(() => stop.abort(reason), 30);
    await expect(work).rejects.toBe(reason);
  });

  it('that nobody takes is told with its code, and may be tried again', async () => {
    const { url } = scene.server;
    await scene.server.stop();
    const error = await failure(scene.vault.read(ref));
    expect(error).toMatchObject({ fault: 'unavailable', message: expect.stringContaining('ECONNREFUSED') as string });
    expect(error.message).toContain(url);
  });

  it('that breaks off in the middle of an answer is no answer', async () => {
    answer({ breakOff: true });
    expect(await failure(scene.vault.read(ref))).toMatchObject({ fault: 'unavailable' });
  });

  it('S1: reads no more than it must of an endless answer', async () => {
    answer({ endless: true });
    expect(await failure(scene.vault.read(ref))).toMatchObject({ fault: 'malformed' });
  });
});
