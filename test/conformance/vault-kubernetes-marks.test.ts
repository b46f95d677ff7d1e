import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Payload } from '../../src/domain/payload.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import { kubernetesVaultType } from '../../src/vaults/kubernetes.ts';
import { FakeKubernetes } from '../fakes/kubernetes-http.ts';
import { makeMark } from './vault-bench.ts';
import { createTestContext } from './vault-context.ts';

const ref: EntryRef = { entry: 'apps/orders', options: {} };
const valueOf = (text: string): Payload => ({ form: 'opaque', content: SecretValue.of(text) });
describe('vault kubernetes: V17, a mark and the value that it describes', () => {
  let fake: FakeKubernetes;
  let folder: string;
  let vault: Vault;

  const file = (name: string): string => join(folder, name);
  const open = (kubeconfig: string, more: { context?: string; cluster?: string } = {}): Promise<Vault> => {
    const options = { namespace: 'apps', kubeconfig, context: null, cluster: null, ...more };
    return Promise.resolve(kubernetesVaultType.create(options, createTestContext()));
  };
  /** A vault on a kubeconfig with this text. */
  const openText = (text: string): Promise<Vault> => {
    writeFileSync(file('kubeconfig.yaml'), text);
    return open(file('kubeconfig.yaml'));
  };

  beforeEach(async () => {
    fake = await FakeKubernetes.start();
    folder = mkdtempSync(join(tmpdir(), 'rekeyd-kubernetes-faults-'));
    vault = await openText(fake.kubeconfig());
  });
  afterEach(async () => {
    await fake.stop();
    rmSync(folder, { recursive: true });
  });

  it('V17: looks without the value where metadata is enough, and never writes without it', async () => {
    await vault.deliver(ref, valueOf('a value'), makeMark(1), 'absent');
    fake.requests.length = 0;
    expect(await vault.describe(ref)).toMatchObject({ binding: 'unproven', mark: makeMark(1) });
    expect(fake.requests.map(({ accept }) => accept)).toEqual([expect.stringContaining('PartialObjectMetadata')]);
    fake.requests.length = 0;
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ binding: 'bound' });
    expect(fake.requests.map(({ accept }) => accept)).toEqual(['application/json']);
  });

  it('V17: a mark whose version was edited is not believed', async () => {
    const { version } = await vault.deliver(ref, valueOf('a value'), makeMark(1), 'absent');
    fake.edit('apps/orders', ({ metadata }) => (metadata.annotations['rekeyd.io/version'] = 'made up'));
    expect(await vault.describe(ref)).toMatchObject({ version: 'made up', binding: 'unproven' });
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ version, binding: 'broken' });
    const write = vault.deliver(ref, valueOf('another'), makeMark(2), 'made up');
    await expect(write).rejects.toMatchObject({ fault: 'conflict' });
  });

  it.each<[string, string]>([
    ['generation', '9'],
    ['credential', 'another-client'],
    ['secret-id', '7'],
    ['payload', '{"form":"fields","keys":["value"],"unset":[]}'],
  ])('V17: a mark whose %s was edited is broken, though the value is as it was', async (part, text) => {
    const { version } = await vault.deliver(ref, valueOf('a value'), makeMark(1), 'absent');
    fake.edit('apps/orders', ({ metadata }) => (metadata.annotations[`rekeyd.io/${part}`] = text));
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ version, binding: 'broken' });
  });

  it('V17: a field that was delivered unset, and is set by hand, breaks the mark', async () => {
    const content = SecretValue.of('{"CLIENT_SECRET":"a value","expires":null}');
    await vault.deliver(ref, { form: 'fields', content }, makeMark(1), 'absent');
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ binding: 'bound' });
    fake.edit('apps/orders', ({ data }) => (data['expires'] = 'bmV2ZXI='));
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ binding: 'broken' });
    fake.edit('apps/orders', ({ data }) => Reflect.deleteProperty(data, 'expires'));
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ binding: 'broken' });
  });

  it('V16: sends no write where nothing changed', async () => {
    const { version } = await vault.deliver(ref, valueOf('a value'), makeMark(1), 'absent');
    fake.requests.length = 0;
    await vault.deliver(ref, valueOf('a value'), makeMark(1), version);
    expect(fake.requests.map(({ method }) => method)).toEqual(['GET']);
  });
});
