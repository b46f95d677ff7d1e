import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RotationView } from '../../src/daemon/api.ts';
import type { Running } from '../process/binary.ts';
import { Consumer } from '../process/consumer.ts';
import { pause, settled } from '../process/site.ts';
import { kubernetes } from './kubernetes.ts';
import { moto } from './moto.ts';
import { openbao } from './openbao.ts';
import { provideServer } from './provided-server.ts';
import { ENTRY } from './six-places.ts';
import { SixVaults } from './six-vaults.ts';

const [aws, bao, kube] = await Promise.all([provideServer(moto), provideServer(openbao), provideServer(kubernetes)]);
const missing = [aws, bao, kube].flatMap((each) => (each.how === 'none' ? [each.reason] : []));
if (bao.how !== 'none' && bao.server.access.power === null) missing.push('the OpenBao server is not ours to stop');

const VAULTS = ['aws', 'azure', 'bao', 'file', 'gcp', 'kubernetes'];
/** The grace of the configuration. */
const GRACE = 6_000;
/** A vault that was away is asked again at growing intervals. */
const PATIENCE = 90_000;

afterAll(async () => {
  for (const each of [aws, bao, kube]) if (each.how !== 'none') await each.server.stop();
});

describe.skipIf(missing.length > 0)(
  `six vaults at once${missing.map((reason) => ` [skipped: ${reason}]`).join('')}`,
  () => {
    let world: SixVaults;
    let daemon: Running;
    let consumer: Consumer;
    let watching: Promise<void> = Promise.resolve();
    let over = new AbortController();

    const one = (): string => `/v1/credentials/data8/${world.clientId}`;
    const credential = async () => (await world.site.credentials()).find(({ clientId }) => clientId === world.clientId);
    const rotate = async (): Promise<string> => {
      const { status, body } = await world.site.ask('POST', `${one()}/rotate`, {});
      expect(status, JSON.stringify(body)).toBe(202);
      return (body as { rotationId: string }).rotationId;
    };
    const rotation = async (id: string) => (await world.site.ask('GET', `/v1/rotations/${id}`)).body as RotationView;
    const deletedAt = async (secretId: string | null | undefined): Promise<number | null> => {
      const found = world.issuer.truth().find((each) => String(each.clientSecretId) === secretId);
      return found?.deleted == null ? null : Date.parse(found.deleted);
    };
    const told = () =>
      daemon.out
        .split('\n')
        .filter((line) => !line.includes('"scan-finished"'))
        .join('\n')
        .slice(-8_000);
    const eventually = async (look: () => Promise<readonly string[]>, patience = PATIENCE): Promise<void> => {
      expect(await settled(look, patience), told()).toEqual([]);
    };
    /** The vaults of which the log told, after so many characters, that they are in that state. */
    const seenAs = (state: string, after: number): string[] => {
      const lines = daemon.out.slice(after).split('\n');
      const told = lines.filter((line) => line.includes('"destination-state"') && line.includes(`"state":"${state}"`));
      return [...new Set(told.map((line) => (JSON.parse(line) as { vault: string }).vault))].sort();
    };
    /** What keeps the six from serving the current secret, all the same value, with nothing left of what it replaced. */
    const unrest = async (): Promise<string[]> => {
      const view = await credential();
      if (view?.state !== 'ok') return [`the credential is ${view?.state ?? 'unknown'}: ${view?.reason ?? ''}`];
      const served = Object.entries(await world.served());
      const wrong = served.filter(([, serving]) => serving?.secretId !== view.current?.secretId);
      const values = new Set(served.map(([, serving]) => serving?.value));
      return [
        ...wrong.map(([name]) => `${name} serves another secret`),
        ...(values.size === 1 ? [] : ['values differ']),
      ];
    };

    beforeAll(async () => {
      if (aws.how === 'none' || bao.how === 'none' || kube.how === 'none') return;
      const servers = { moto: aws.server.access, openbao: bao.server.access, kubernetes: kube.server.access };
      world = await SixVaults.open(servers);
      daemon = await world.site.start();
      await eventually(unrest);
    });
    afterAll(() => world.close());

    /** All the time each vault is read as programs do, and each value is held to the issuer. */
    beforeEach(() => {
      over = new AbortController();
      consumer = new Consumer(world.issuer, world.shelves);
      watching = consumer.watch(over.signal);
    });
    afterEach(async () => {
      over.abort();
      await watching;
    });

    it('first contact: each vault serves the same new secret, and the one made by hand is left alone', async () => {
      const view = await credential();
      expect(view?.destinations.map(({ vault, state }) => `${vault} ${state}`).sort()).toEqual(
        VAULTS.map((vault) => `${vault} served`),
      );
      expect(view?.current).toMatchObject({ generation: 1 });
      const served = await world.served();
      expect(Object.keys(served).sort()).toEqual(VAULTS);
      expect(world.issuer.accepts(world.clientId, served['file']?.value ?? '')).toBe(true);
      expect(world.issuer.accepts(world.clientId, world.madeByHand)).toBe(true);
    });

    it('V1: one vault is stopped: the others are served, the old secret lives until it serves the new one, too', async () => {
      const before = (await credential())?.current?.secretId;
      await world.takeAway();
      const id = await rotate();
      await eventually(async () => {
        const { secretId } = await rotation(id);
        const served = Object.entries(await world.served());
        const behind = served.filter(([name, serving]) => name !== 'bao' && serving?.secretId !== secretId);
        return secretId === null ? ['not issued'] : behind.map(([name]) => `${name} is behind`);
      });
      await pause(2 * GRACE);
      expect(await rotation(id)).toMatchObject({ state: 'delivering' });
      expect(await deletedAt(before), 'the secret that the stopped vault serves').toBeNull();
      expect((await credential())?.destinations.find(({ vault }) => vault === 'bao')?.state).not.toBe('served');

      await world.bringBack();
      const back = Date.now();
      await eventually(unrest);
      expect((await credential())?.current?.secretId).toBe((await rotation(id)).secretId);
      expect(await rotation(id)).toMatchObject({ state: 'done', supersedes: [before] });
      expect((await deletedAt(before)) ?? 0).toBeGreaterThan(back + GRACE - 1_000);
      expect(consumer.complaints).toEqual([]);
    }, 300_000);

    it('V14: two vaults are rolled back in the grace: seen, mended, and a whole grace begins anew', async () => {
      const before = (await credential())?.current?.secretId;
      const path = `/secrets/${ENTRY}`;
      const kept = await world.hands.kubernetes.must<Record<string, unknown> & { metadata: object }>('GET', path);
      const id = await rotate();
      await eventually(async () => ((await rotation(id)).state === 'grace' ? [] : ['not in grace']));
      const printed = daemon.out.length;
      const at = { entry: ENTRY, options: {} };
      await world.hands.aws.move(at, (await world.hands.aws.holder(at, 'AWSPREVIOUS')) ?? '');
      await world.hands.kubernetes.must('PUT', path, {
        ...kept,
        metadata: { ...kept.metadata, resourceVersion: undefined },
      });
      expect((await world.served())['aws']?.secretId).toBe(before);
      await eventually(async () => {
        const { secretId } = await rotation(id);
        const served = Object.entries(await world.served());
        return served.filter(([, serving]) => serving?.secretId !== secretId).map(([name]) => `${name} is behind`);
      });
      const mended = Date.now();
      expect(await deletedAt(before)).toBeNull();
      expect(seenAs('behind', printed)).toEqual(['aws', 'kubernetes']);
      await eventually(unrest);
      expect((await deletedAt(before)) ?? 0).toBeGreaterThan(mended + GRACE - 2_000);
      expect(consumer.complaints).toEqual([]);
    }, 300_000);

    it('V17: values are edited by hand under the mark: seen as drift, and mended', async () => {
      const by = world.madeByHand;
      const text = JSON.stringify({ clientId: world.clientId, clientSecret: by, secretId: '1', expires: null });
      const printed = daemon.out.length;
      world.hands.gcp.store.add(ENTRY, Buffer.from(text), undefined);
      world.hands.azure.store.set(ENTRY, { value: text, tags: world.hands.azure.store.current(ENTRY).tags });
      const data = { clientSecret: Buffer.from(by).toString('base64') };
      await world.hands.kubernetes.must('PATCH', `/secrets/${ENTRY}`, { data });
      expect((await world.served())['gcp']?.value).toBe(by);
      await eventually(async () => {
        const served = Object.entries(await world.served());
        return served
          .filter(([, serving]) => serving?.value === by)
          .map(([name]) => `${name} serves what was put by hand`);
      });
      await eventually(unrest);
      expect(seenAs('drifted', printed)).toEqual(['azure', 'gcp', 'kubernetes']);
      expect(consumer.complaints).toEqual([]);
    }, 300_000);
  },
);
