import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IssuerError } from '../../src/domain/errors.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import type { Duration, Instant } from '../../src/domain/time.ts';
import { DAY, HOUR } from '../../src/domain/time.ts';
import type { Issuer } from '../../src/issuers/contract.ts';

/** How a call is made to fail, once. `lost`: applied, and the answer does not come. */
export type BenchFault = 'lost' | 'forbidden' | 'throttled';

/** An issuer with one account behind it, as the suite needs it. */
export interface IssuerBench {
  readonly issuer: Issuer;
  now(): Instant;
  wait(duration: Duration): Promise<void>;
  /** Runs a call to its end, where time must be moved on for it. */
  run<T>(call: Promise<T>): Promise<T>;
  /** Makes a credential past the issuer's API. */
  addCredential(description: string): Promise<string>;
  removeCredential(clientId: string): Promise<void>;
  /** The next call of this kind fails. `throttled`: with a Retry-After of 2 seconds. */
  fail(operation: 'createSecret' | 'updateSecret' | 'deleteSecret', fault: BenchFault): void;
  close(): Promise<void>;
}

/** What every issuer keeps (src/issuers/contract.ts). */
export function issuerSuite(name: string, open: () => Promise<IssuerBench>): void {
  describe(`${name} as an issuer`, () => {
    let bench: IssuerBench;
    let issuer: Issuer;
    let clientId: string;
    let soon: Instant;

    beforeEach(async () => {
      bench = await open();
      ({ issuer } = bench);
      clientId = await bench.addCredential('Billing (prod)');
      soon = bench.now() + DAY;
    });
    afterEach(() => bench.close());

    const create = (description = 'one', expires: Instant | null = soon) =>
      bench.run(issuer.createSecret(clientId, { expires, description }));
    const list = () => bench.run(issuer.listSecrets(clientId));

    async function failure(call: Promise<unknown>): Promise<IssuerError> {
      const error: unknown = await bench.run(call).then(
        () => 'it went well',
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(IssuerError);
      expect((error as IssuerError).issuer).toBe(issuer.name);
      return error as IssuerError;
    }

    it('lists credentials with their descriptions', async () => {
      const other = await bench.addCredential('Ünïcode "quoted" {app}');
      const listed = await bench.run(issuer.listCredentials());
      expect(listed.find((one) => one.clientId === clientId)).toEqual({ clientId, description: 'Billing (prod)' });
      expect(listed.find((one) => one.clientId === other)?.description).toBe('Ünïcode "quoted" {app}');
    });

    it('lists no secrets of a fresh credential, and all that were made', async () => {
      expect(await list()).toEqual([]);
      const first = await create('first');
      const second = await create('second', null);
      expect(first.secretId).not.toBe(second.secretId);
      const listed = [...(await list())].sort((a, b) => a.description.localeCompare(b.description));
      expect(listed).toEqual([
        { secretId: first.secretId, expires: soon, description: 'first' },
        { secretId: second.secretId, expires: null, description: 'second' },
      ]);
    });

    it('keeps a time to the millisecond, and a description of the full length whole', async () => {
      const odd = soon + 123;
      const description = 'ä"\\'.repeat(100).slice(0, issuer.descriptionLimit - 6) + '[mark]';
      await create(description, odd);
      expect(await list()).toMatchObject([{ expires: odd, description }]);
    });

    it('gives a value once, different each time, and accepts all that live', async () => {
      const [first, second] = [await create(), await create()];
      expect(first.value.isEmpty).toBe(false);
      expect(first.value.equals(second.value)).toBe(false);
      expect(await bench.run(issuer.verify(clientId, first.value))).toBe('accepted');
      expect(await bench.run(issuer.verify(clientId, second.value))).toBe('accepted');
      expect(inspect(await list(), { depth: 9 })).not.toContain(first.value.reveal());
    });

    it('refuses a wrong value, that of another credential, and that of one that is not there', async () => {
      const { value } = await create();
      const other = await bench.addCredential('Other');
      expect(await bench.run(issuer.verify(clientId, SecretValue.of('wrong')))).toBe('refused');
      expect(await bench.run(issuer.verify(other, value))).toBe('refused');
      expect(await bench.run(issuer.verify('nobody', value))).toBe('refused');
    });

    it('refuses an expired secret, and lists it still', async () => {
      const { value, secretId } = await create('short', bench.now() + 1_200);
      expect(await bench.run(issuer.verify(clientId, value))).toBe('accepted');
      await bench.wait(1_250);
      expect(await bench.run(issuer.verify(clientId, value))).toBe('refused');
      expect((await list()).map((secret) => secret.secretId)).toEqual([secretId]);
    });

    it('changes expiry and description, and not the value', async () => {
      const { secretId, value } = await create();
      await bench.run(issuer.updateSecret(clientId, secretId, { expires: soon + HOUR, description: 'changed' }));
      expect(await list()).toEqual([{ secretId, expires: soon + HOUR, description: 'changed' }]);
      await bench.run(issuer.updateSecret(clientId, secretId, { expires: null, description: 'changed' }));
      expect(await list()).toEqual([{ secretId, expires: null, description: 'changed' }]);
      expect(await bench.run(issuer.verify(clientId, value))).toBe('accepted');
    });

    it('I15: deletes a secret; what is not there is absent, and no error', async () => {
      const { secretId, value } = await create();
      const kept = await create('kept');
      expect(await bench.run(issuer.deleteSecret(clientId, secretId))).toBe('deleted');
      expect(await bench.run(issuer.deleteSecret(clientId, secretId))).toBe('absent');
      expect((await list()).map((secret) => secret.secretId)).toEqual([kept.secretId]);
      expect(await bench.run(issuer.verify(clientId, value))).toBe('refused');
    });

    it('I18: says not-found of a credential that is gone, and of nothing else', async () => {
      const { secretId } = await create();
      const wish = { expires: soon, description: '' };
      expect(await failure(issuer.updateSecret(clientId, '999999', wish))).toMatchObject({ fault: 'not-found' });
      await bench.removeCredential(clientId);
      expect(await failure(issuer.listSecrets(clientId))).toMatchObject({ fault: 'not-found', status: 404 });
      expect(await failure(issuer.createSecret(clientId, wish))).toMatchObject({
        fault: 'not-found',
        surelyNotApplied: true,
      });
      expect(await failure(issuer.updateSecret(clientId, secretId, wish))).toMatchObject({ fault: 'not-found' });
      expect(await bench.run(issuer.deleteSecret(clientId, secretId))).toBe('absent');
    });

    it('I1: a creation whose answer is lost is told as ambiguous, not repeated, and found by its description', async () => {
      bench.fail('createSecret', 'lost');
      expect(await failure(create('the mark'))).toMatchObject({ fault: 'unavailable', surelyNotApplied: false });
      expect((await list()).map((secret) => secret.description)).toEqual(['the mark']);
    });

    it('I4: a change or a deletion whose answer is lost can be repeated', async () => {
      const { secretId } = await create();
      const wish = { expires: soon + HOUR, description: 'changed' };
      const lost = async (call: () => Promise<unknown>): Promise<void> => {
        const error: unknown = await bench.run(call()).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        if (error === null) return; // it was repeated within
        expect(error).toMatchObject({ fault: 'unavailable', surelyNotApplied: false });
        await bench.run(call());
      };
      bench.fail('updateSecret', 'lost');
      await lost(() => issuer.updateSecret(clientId, secretId, wish));
      expect(await list()).toEqual([{ secretId, ...wish }]);
      bench.fail('deleteSecret', 'lost');
      await lost(() => issuer.deleteSecret(clientId, secretId));
      expect(await list()).toEqual([]);
    });

    it('I6: a call that is forbidden is told so, and was surely not applied', async () => {
      bench.fail('createSecret', 'forbidden');
      expect(await failure(create())).toMatchObject({ fault: 'forbidden', status: 403, surelyNotApplied: true });
      expect(await list()).toEqual([]);
    });

    it('I3: a throttled call is made later, or told with how long to wait', async () => {
      bench.fail('createSecret', 'throttled');
      const before = bench.now();
      const error: unknown = await create().then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (error === null) expect(bench.now() - before).toBeGreaterThanOrEqual(1_900);
      else expect(error).toMatchObject({ fault: 'throttled', retryAfter: 2_000, surelyNotApplied: true });
    });

    it('S5: ids that would climb out of a path are refused, or unknown', async () => {
      await create();
      for (const id of ['', '.', '..']) {
        expect(['rejected', 'not-found']).toContain((await failure(issuer.listSecrets(id))).fault);
      }
    });

    it('ends with the reason of a signal that is aborted, and does nothing then', async () => {
      const reason = new Error('given up');
      const signal = AbortSignal.abort(reason);
      await expect(issuer.listCredentials(signal)).rejects.toBe(reason);
      await expect(issuer.createSecret(clientId, { expires: soon, description: '' }, signal)).rejects.toBe(reason);
      await expect(issuer.verify(clientId, SecretValue.of('x'), signal)).rejects.toBe(reason);
      expect(await list()).toEqual([]);
    });

    it('I19: knows the skew from its first answer on', async () => {
      expect(issuer.skew()).toBeNull();
      await list();
      expect(Math.abs(issuer.skew() ?? Number.NaN)).toBeLessThan(1_500);
    });

    it('tells its rights without changing anything', async () => {
      const rights = await bench.run(issuer.rights());
      expect(rights).toContainEqual({ right: 'reached', status: 'ok', hint: '' });
      expect(await list()).toEqual([]);
    });
  });
}
