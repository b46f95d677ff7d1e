import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { VaultError } from '../../src/domain/errors.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import { hatchCanary, leakIn } from '../conformance/canary.ts';
import type { KvHands } from '../conformance/kv-hands.ts';
import { makeMark } from '../conformance/vault-bench.ts';
import { OpenBaoBench, opaque } from './openbao-bench.ts';
import { openbao, unseal } from './openbao.ts';
import type { OpenBaoAccess } from './openbao.ts';
import { provideServer } from './provided-server.ts';
import type { RunningServer } from './provided-server.ts';

const provided = await provideServer(openbao);

if (provided.how === 'none') {
  describe('vault hashicorp-vault, its own cases', () => {
    it.skip(`[skipped: ${provided.reason}]`);
  });
} else describeCases(provided.server);

function describeCases(server: RunningServer<OpenBaoAccess>): void {
  let bench: OpenBaoBench;
  const hands = (): KvHands => bench.mount.hands;

  beforeAll(async () => {
    bench = await OpenBaoBench.open(server.access);
  });
  afterEach(() => bench.clear());
  afterAll(async () => {
    await bench.close();
    await server.stop();
  });

  describe('vault hashicorp-vault tells', () => {
    it('a server that is sealed as unavailable, and goes on when it is unsealed', async ({ skip }) => {
      if (bench.access.unsealKey === null) skip('the server is not ours to seal');
      const vault = await bench.withToken();
      await bench.expectWorking(vault);
      await hands().must('PUT', 'sys/seal');
      expect(await bench.failure(vault.read(bench.ref))).toMatchObject({
        fault: 'unavailable',
        message: expect.stringContaining('sealed') as string,
      });
      await unseal(bench.access.url, bench.access.unsealKey ?? '');
      expect(await vault.read(bench.ref)).toMatchObject({ binding: 'bound' });
    });

    it('V11: a rate limit quota as throttled', async () => {
      const vault = await bench.withToken();
      await vault.describe(bench.ref);
      const quota = `sys/quotas/rate-limit/${bench.mount.name}`;
      await hands().must('POST', quota, { path: `${bench.mount.name}/`, rate: 1 });
      const errors = await Promise.all(
        Array.from({ length: 6 }, () =>
          vault.describe(bench.ref).then(
            () => null,
            (error: unknown) => error,
          ),
        ),
      );
      await hands().must('DELETE', quota);
      expect(
        errors.filter((error) => error instanceof VaultError && error.fault === 'throttled').length,
      ).toBeGreaterThan(2);
    });

    it('V10, S1: an entry that is too large only as the server writes it, and leaves the old value', async ({
      skip,
    }) => {
      if (bench.access.unsealKey === null) skip('the server is not ours: its storage may have no such limit');
      const vault = await bench.withToken();
      await bench.expectWorking(vault);
      const canary = hatchCanary();
      const { version } = (await vault.describe(bench.ref)) as { version: string };
      const large = opaque(canary.text + '<'.repeat(900_000));
      const error = await bench.failure(vault.deliver(bench.ref, large, makeMark(2), version));
      expect(error).toMatchObject({ fault: 'rejected' });
      expect(leakIn(error, [canary])).toBeNull();
      expect(await vault.read(bench.ref)).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    });

    it('V15: a mount that is not there, one of version 1, and one of another engine, as what they are', async () => {
      const other = `${bench.mount.name}-other`;
      const auth = { method: 'token', token: bench.access.token };
      expect(await bench.failure((await bench.connect(auth, { mount: other })).describe(bench.ref))).toMatchObject({
        fault: 'denied',
      });
      await hands().must('POST', `sys/mounts/${other}`, { type: 'kv', options: { version: '1' } });
      expect(await bench.failure((await bench.connect(auth, { mount: other })).describe(bench.ref))).toMatchObject({
        fault: 'rejected',
        message: expect.stringContaining('version 1') as string,
      });
      await hands().must('DELETE', `sys/mounts/${other}`);
      await hands().must('POST', `sys/mounts/${other}`, { type: 'transit' });
      expect(await bench.failure((await bench.connect(auth, { mount: other })).describe(bench.ref))).toMatchObject({
        fault: 'rejected',
      });
      await hands().must('DELETE', `sys/mounts/${other}`);
    });
  });

  describe('vault hashicorp-vault lives with', () => {
    it('V8: versions that the server deletes by itself, destroyed ones, and those that are undeleted', async () => {
      const vault = await bench.withToken();
      await hands().must('POST', hands().metadata(bench.ref.entry), {
        delete_version_after: '1s',
        custom_metadata: { owner: 'a' },
      });
      const { version } = await vault.deliver(bench.ref, opaque('short'), makeMark(1), ABSENT);
      expect(await vault.describe(bench.ref, { prove: true })).toMatchObject({ version, binding: 'bound' });
      await sleep(1_200);
      expect(await vault.describe(bench.ref, { prove: true })).toMatchObject({ binding: 'broken', mark: makeMark(1) });
      await hands().must('PATCH', hands().metadata(bench.ref.entry), { delete_version_after: '0s' });
      await bench.expectDelivery(vault, 2);
      await hands().must('DELETE', hands().data(bench.ref.entry));
      expect(await vault.read(bench.ref)).toMatchObject({ binding: 'broken', payload: null });
      await hands().must('POST', `${bench.mount.name}/undelete/${bench.ref.entry}`, { versions: [2] });
      expect(await vault.read(bench.ref)).toMatchObject({ binding: 'bound', mark: makeMark(2) });
      await hands().must('PUT', `${bench.mount.name}/destroy/${bench.ref.entry}`, { versions: [2] });
      expect(await vault.read(bench.ref)).toMatchObject({ binding: 'broken', payload: null });
      await bench.expectDelivery(vault, 3);
      expect((await hands().custom(bench.ref.entry))['owner']).toBe('a');
    });

    it('V14: a roll-back further than one version', async () => {
      const vault = await bench.withToken();
      await vault.deliver(bench.ref, opaque('one'), makeMark(1), ABSENT);
      await bench.expectDelivery(vault, 2);
      await bench.expectDelivery(vault, 3);
      await hands().rollBack(bench.ref.entry, 1);
      expect(await vault.describe(bench.ref, { prove: true })).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    });

    it('V10: metadata of which others have taken all 64 keys', async () => {
      const vault = await bench.withToken();
      const theirs = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`owner-${index}`, 'team-a']));
      await hands().must('POST', hands().metadata(bench.ref.entry), { custom_metadata: theirs });
      await bench.expectWorking(vault);
      await bench.expectDelivery(vault, 2);
      expect(await hands().custom(bench.ref.entry)).toMatchObject(theirs);
    });

    it('metadata that is changed by compare-and-set only (OpenBao)', async () => {
      const vault = await bench.withToken();
      await hands().must('POST', `${bench.mount.name}/config`, { metadata_cas_required: true, cas_required: true });
      await bench.expectWorking(vault);
      await bench.expectDelivery(vault, 2);
      await hands().must('POST', `${bench.mount.name}/config`, { metadata_cas_required: false, cas_required: false });
    });
  });
}
