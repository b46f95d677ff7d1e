import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { makeMark } from './vault-bench.ts';
import { kubernetesScene, ref, valueOf } from './kubernetes-scene.ts';

describe('vault kubernetes: V17, a mark and the value that it describes', () => {
  const scene = kubernetesScene();

  it('V17: looks without the value where metadata is enough, and never writes without it', async () => {
    await scene.vault.deliver(ref, valueOf('a value'), makeMark(1), 'absent');
    scene.fake.requests.length = 0;
    expect(await scene.vault.describe(ref)).toMatchObject({ binding: 'unproven', mark: makeMark(1) });
    expect(scene.fake.requests.map(({ accept }) => accept)).toEqual([expect.stringContaining('PartialObjectMetadata')]);
    scene.fake.requests.length = 0;
    expect(await scene.vault.describe(ref, { prove: true })).toMatchObject({ binding: 'bound' });
    expect(scene.fake.requests.map(({ accept }) => accept)).toEqual(['application/json']);
  });

  it('V17: a mark whose version was edited is not believed', async () => {
    const { version } = await scene.vault.deliver(ref, valueOf('a value'), makeMark(1), 'absent');
    scene.fake.edit('apps/orders', ({ metadata }) => (metadata.annotations['rekeyd.io/version'] = 'made up'));
    expect(await scene.vault.describe(ref)).toMatchObject({ version: 'made up', binding: 'unproven' });
    expect(await scene.vault.describe(ref, { prove: true })).toMatchObject({ version, binding: 'broken' });
    const write = scene.vault.deliver(ref, valueOf('another'), makeMark(2), 'made up');
    await expect(write).rejects.toMatchObject({ fault: 'conflict' });
  });

  it.each<[string, string]>([
    ['generation', '9'],
    ['credential', 'another-client'],
    ['secret-id', '7'],
    ['payload', '{"form":"fields","keys":["value"],"unset":[]}'],
  ])('V17: a mark whose %s was edited is broken, though the value is as it was', async (part, text) => {
    const { version } = await scene.vault.deliver(ref, valueOf('a value'), makeMark(1), 'absent');
    scene.fake.edit('apps/orders', ({ metadata }) => (metadata.annotations[`rekeyd.io/${part}`] = text));
    expect(await scene.vault.describe(ref, { prove: true })).toMatchObject({ version, binding: 'broken' });
  });

  it('V17: a field that was delivered unset, and is set by hand, breaks the mark', async () => {
    const content = SecretValue.of('{"CLIENT_SECRET":"a value","expires":null}');
    await scene.vault.deliver(ref, { form: 'fields', content }, makeMark(1), 'absent');
    expect(await scene.vault.describe(ref, { prove: true })).toMatchObject({ binding: 'bound' });
    scene.fake.edit('apps/orders', ({ data }) => (data['expires'] = 'bmV2ZXI='));
    expect(await scene.vault.describe(ref, { prove: true })).toMatchObject({ binding: 'broken' });
    scene.fake.edit('apps/orders', ({ data }) => Reflect.deleteProperty(data, 'expires'));
    expect(await scene.vault.describe(ref, { prove: true })).toMatchObject({ binding: 'broken' });
  });

  it('V16: sends no write where nothing changed', async () => {
    const { version } = await scene.vault.deliver(ref, valueOf('a value'), makeMark(1), 'absent');
    scene.fake.requests.length = 0;
    await scene.vault.deliver(ref, valueOf('a value'), makeMark(1), version);
    expect(scene.fake.requests.map(({ method }) => method)).toEqual(['GET']);
  });
});
