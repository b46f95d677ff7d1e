import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { SecretValue } from '../../src/domain/secret-value.ts';
import type { Payload } from '../../src/domain/payload.ts';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import { kubernetesVaultType, openKubernetesVault } from '../../src/vaults/kubernetes.ts';
import { hatchCanary, leakIn } from '../conformance/canary.ts';
import { makeMark } from '../conformance/vault-bench.ts';
import { createTestContext } from '../conformance/vault-context.ts';
import { apiRequest, must } from './kubernetes-api.ts';
import { KubernetesTeam } from './kubernetes-team.ts';
import { kubeconfigOf, kubernetes } from './kubernetes.ts';
import type { KubernetesAccess } from './kubernetes.ts';
import { provideServer } from './provided-server.ts';

const provided = await provideServer(kubernetes);

interface StoredSecret {
  readonly type: string;
  readonly metadata: {
    readonly resourceVersion: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly data?: Record<string, string>;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const payload = (fields: Readonly<Record<string, string | null>>): Payload => ({
  form: 'fields',
  content: SecretValue.of(JSON.stringify(fields)),
});
const login = payload({ CLIENT_ID: 'orders', CLIENT_SECRET: 'a value' });

describe.skipIf(provided.how === 'none')(
  `vault kubernetes ${provided.how === 'none' ? `[skipped: ${provided.reason}]` : 'on a real API server'}`,
  () => {
    let access: KubernetesAccess;
    let team: KubernetesTeam;
    let vault: Vault;
    let folder: string;

    const file = (name: string): string => join(folder, name);
    const at = (name: string, options: EntryRef['options'] = {}): EntryRef => ({
      entry: kubernetesVaultType.entryOf(name, options, { namespace: team.namespace }),
      options,
    });
    /** A vault on a kubeconfig of its own, whose user is `user`. */
    const open = async (name: string, user: object): Promise<Vault> => {
      await writeFile(file(name), kubeconfigOf(access, user), { mode: 0o600 });
      const options = { namespace: team.namespace, kubeconfig: file(name), context: null, cluster: null };
      return kubernetesVaultType.create(options, createTestContext());
    };
    const stored = (name: string): Promise<StoredSecret> => team.must<StoredSecret>('GET', `/secrets/${name}`);
    const edit = (name: string, patch: object): Promise<unknown> => team.must('PATCH', `/secrets/${name}`, patch);

    beforeAll(async () => {
      if (provided.how === 'none') return;
      access = provided.server.access;
      folder = await mkdtemp(join(tmpdir(), 'rekeyd-kubernetes-cases-'));
      team = await KubernetesTeam.make(access, 'cases');
      const token = await team.token();
      await team.grant(token);
      vault = await open('rekeyd.yaml', { token });
    });
    afterAll(async () => {
      if (provided.how === 'none') return;
      await rm(folder, { recursive: true });
      await provided.server.stop();
    });

    it('V9: an immutable Secret is told as locked by any look, and refused', async () => {
      const ref = at('immutable');
      const { version } = await vault.deliver(ref, login, makeMark(1), 'absent');
      await edit('immutable', { immutable: true });
      const locked = expect.stringContaining('immutable') as string;
      expect(await vault.describe(ref)).toMatchObject({ state: 'present', version, locked });
      expect(await vault.describe(ref, { prove: true })).toMatchObject({ binding: 'bound', locked });
      const again = vault.deliver(ref, payload({ CLIENT_SECRET: 'b' }), makeMark(2), version);
      await expect(again).rejects.toMatchObject({ fault: 'locked' });
    });

    it('V9: an immutable Secret takes its mark back: metadata may change', async () => {
      const ref = at('immutable-mark');
      const { version } = await vault.deliver(ref, login, makeMark(1), 'absent');
      await edit('immutable-mark', { immutable: true, metadata: { labels: null } });
      expect(await vault.describe(ref, { prove: true })).toMatchObject({ version, mark: null });
      await vault.restoreMark(ref, makeMark(1), version);
      expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    });

    it('V9: a Secret that is being deleted, held by a finalizer, is locked', async () => {
      const ref = at('finalized');
      await vault.deliver(ref, login, makeMark(1), 'absent');
      await edit('finalized', { metadata: { finalizers: ['example.com/keep'] } });
      await team.must('DELETE', '/secrets/finalized');
      const locked = expect.stringContaining('being deleted') as string;
      expect(await vault.describe(ref)).toMatchObject({ state: 'present', locked });
      expect(await vault.describe(ref, { prove: true })).toMatchObject({ state: 'present', locked });
    });

    it('V9: a write in between is a conflict, also one that leaves the value', async () => {
      const ref = at('conflict');
      const { version } = await vault.deliver(ref, login, makeMark(1), 'absent');
      const path = `/api/v1/namespaces/${team.namespace}/secrets/conflict`;
      const { metadata } = await stored('conflict');
      await edit('conflict', { metadata: { labels: { team: 'a' } } });
      // what the vault sends, at the resourceVersion before that edit
      const late = { metadata: { resourceVersion: metadata.resourceVersion, labels: { late: 'yes' } } };
      expect((await apiRequest(access, 'PATCH', path, late)).status).toBe(409);
      // and the vault itself reads again, so that a label of others never stands in its way
      await vault.deliver(ref, payload({ CLIENT_SECRET: 'b' }), makeMark(2), version);
      expect((await stored('conflict')).metadata.labels).toMatchObject({ team: 'a' });
    });

    it('V9: a namespace that is not there is an error, never absence', async () => {
      const everywhere = await open('admin.yaml', { token: access.token });
      const ref = { entry: 'no-such-namespace/orders', options: {} };
      const told = {
        fault: 'unavailable',
        message: expect.stringContaining("'no-such-namespace' is not there") as string,
      };
      await expect(everywhere.describe(ref)).rejects.toMatchObject(told);
      await expect(everywhere.describe(ref, { prove: true })).rejects.toMatchObject(told);
      await expect(everywhere.read(ref)).rejects.toMatchObject(told);
      await expect(everywhere.deliver(ref, login, makeMark(1), 'absent')).rejects.toMatchObject(told);
      // with rights in its own namespace alone, it is the rights that are missing
      await expect(vault.describe(ref)).rejects.toMatchObject({ fault: 'denied' });
    });

    it('V9: a namespace that is being deleted is an error, never absence', async () => {
      const ending = await KubernetesTeam.make(access, 'ending');
      const everywhere = await open('admin.yaml', { token: access.token });
      await must(access, 'DELETE', `/api/v1/namespaces/${ending.namespace}`); // no controller is there to finish it
      const ref = { entry: `${ending.namespace}/orders`, options: {} };
      const told = { fault: 'unavailable', message: expect.stringContaining('is being deleted') as string };
      await expect(everywhere.describe(ref)).rejects.toMatchObject(told);
      await expect(everywhere.deliver(ref, login, makeMark(1), 'absent')).rejects.toMatchObject(told);
    });

    it('makes a Secret of the type, with the labels and annotations of the destination', async () => {
      const options = {
        type: 'example.com/oauth-client',
        labels: { 'app.kubernetes.io/part-of': 'orders' },
        annotations: { 'example.com/owner': 'Team "Orders"' },
      };
      const ref = at('typed', options);
      const { version } = await vault.deliver(ref, login, makeMark(1), 'absent');
      const secret = await stored('typed');
      expect(secret.type).toBe('example.com/oauth-client');
      expect(secret.data).toEqual({ CLIENT_ID: base64('orders'), CLIENT_SECRET: base64('a value') });
      const labels = { 'app.kubernetes.io/part-of': 'orders', 'app.kubernetes.io/managed-by': 'rekeyd' };
      expect(secret.metadata.labels).toEqual(labels);
      const credential = { 'example.com/owner': 'Team "Orders"', 'rekeyd.io/credential': 'suite-client' };
      expect(secret.metadata.annotations).toMatchObject(credential);
      // a label that was taken off is no drift of the mark, and comes back with the next delivery
      await edit('typed', { metadata: { labels: { 'app.kubernetes.io/part-of': null } } });
      expect(await vault.describe(ref, { prove: true })).toMatchObject({ version, binding: 'bound' });
      await vault.deliver(ref, login, makeMark(1), version);
      expect((await stored('typed')).metadata.labels).toEqual(labels);
    });

    it('V16: leaves the resourceVersion alone where nothing changed', async () => {
      const ref = at('unchanged');
      const { version } = await vault.deliver(ref, login, makeMark(1), 'absent');
      const before = (await stored('unchanged')).metadata.resourceVersion;
      await vault.deliver(ref, login, makeMark(1), version);
      expect((await stored('unchanged')).metadata.resourceVersion).toBe(before);
    });

    it('takes away keys that it wrote and that are no field any more, and no others', async () => {
      const ref = at('keys');
      const { version } = await vault.deliver(ref, login, makeMark(1), 'absent');
      await edit('keys', { data: { THEIRS: base64('of somebody else') } });
      const next = payload({ CLIENT_SECRET: 'another value', expires: null });
      await vault.deliver(ref, next, makeMark(2), version);
      expect((await stored('keys')).data).toEqual({
        CLIENT_SECRET: base64('another value'),
        THEIRS: base64('of somebody else'),
        expires: '', // a Secret has no null, and a secretKeyRef must find its key
      });
      const seen = await vault.read(ref);
      expect(seen.state === 'present' && seen.payload?.content.equals(next.content)).toBe(true);
    });

    it('takes a Secret over that was made by hand, and leaves its other keys', async () => {
      await team.must('POST', '/secrets', {
        metadata: { name: 'by-hand' },
        data: { CLIENT_ID: base64('orders'), CLIENT_SECRET: base64('old'), THEIRS: base64('kept') },
      });
      const ref = at('by-hand');
      const seen = await vault.describe(ref, { prove: true });
      const version = seen.state === 'present' ? seen.version : '';
      await vault.deliver(ref, login, makeMark(1), version);
      const data = { CLIENT_ID: base64('orders'), CLIENT_SECRET: base64('a value'), THEIRS: base64('kept') };
      expect((await stored('by-hand')).data).toEqual(data);
      expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    });

    it('C8: a stripped mark is restored beside keys of others, and claims none of them', async () => {
      const ref = at('stripped');
      const { version } = await vault.deliver(ref, login, makeMark(1), 'absent');
      await edit('stripped', { metadata: { annotations: null, labels: null }, data: { THEIRS: base64('kept') } });
      expect(await vault.describe(ref)).toMatchObject({ version, mark: null, binding: 'broken' });
      await vault.restoreMark(ref, makeMark(1), version);
      expect(await vault.describe(ref, { prove: true })).toMatchObject({
        version,
        mark: makeMark(1),
        binding: 'bound',
      });
      await vault.deliver(ref, payload({ CLIENT_SECRET: 'b' }), makeMark(2), version);
      expect((await stored('stripped')).data).toEqual({ CLIENT_SECRET: base64('b'), THEIRS: base64('kept') });
    });

    it('V17: a value that was edited shows without reading it, by who wrote it last', async () => {
      const ref = at('edited');
      await vault.deliver(ref, login, makeMark(1), 'absent');
      expect(await vault.describe(ref)).toMatchObject({ mark: makeMark(1), binding: 'unproven' });
      await edit('edited', { data: { CLIENT_SECRET: base64('by hand') } });
      expect(await vault.describe(ref)).toMatchObject({ mark: makeMark(1), binding: 'broken' });
    });

    it('V17: a mark that was copied onto another value is broken', async () => {
      const ref = at('copied');
      await vault.deliver(ref, login, makeMark(1), 'absent');
      const { metadata } = await stored('copied');
      const { labels, annotations } = metadata;
      const data = { CLIENT_ID: base64('orders'), CLIENT_SECRET: base64('another') };
      await team.must('POST', '/secrets', { metadata: { name: 'copy', labels, annotations }, data });
      expect(await vault.describe(at('copy'))).toMatchObject({ mark: makeMark(1), binding: 'broken' });
    });

    it('V10: refuses a field that is no key of a Secret, and values that are too large with those of others', async () => {
      const ref = at('limits');
      const odd = vault.deliver(ref, payload({ 'client secret': 'x' }), makeMark(1), 'absent');
      await expect(odd).rejects.toMatchObject({ fault: 'rejected' });
      expect(await vault.describe(ref)).toEqual({ state: 'absent' });
      const { version } = await vault.deliver(ref, login, makeMark(1), 'absent');
      await edit('limits', { data: { THEIRS: base64('x'.repeat(600_000)) } });
      const large = vault.deliver(ref, payload({ CLIENT_SECRET: 'x'.repeat(600_000) }), makeMark(2), version);
      await expect(large).rejects.toMatchObject({ fault: 'rejected' });
      expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    });

    it('S1: an admission policy that quotes the value is not quoted', async () => {
      const canary = hatchCanary();
      const admission = '/apis/admissionregistration.k8s.io/v1';
      await must(access, 'POST', `${admission}/validatingadmissionpolicies`, {
        metadata: { name: 'talkative' },
        spec: {
          matchConstraints: {
            resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets'] }],
          },
          validations: [
            {
              expression: "!object.metadata.name.startsWith('refused')",
              messageExpression: "'refused: ' + string(object.data.CLIENT_SECRET)",
            },
          ],
        },
      });
      await must(access, 'POST', `${admission}/validatingadmissionpolicybindings`, {
        metadata: { name: 'talkative' },
        spec: { policyName: 'talkative', validationActions: ['Deny'] },
      });
      const path = `/api/v1/namespaces/${team.namespace}/secrets`;
      const body = { metadata: { name: 'refused-by-hand' }, data: { CLIENT_SECRET: base64(canary.text) } };
      // the policy takes a moment to hold, and then it does quote
      await vi.waitFor(async () => {
        const answer = await apiRequest(access, 'POST', `${path}?dryRun=All`, body);
        expect(leakIn(JSON.stringify(answer.body), [canary])).not.toBeNull();
        expect(answer.status).toBe(422);
      }, 20_000);
      const refused = vault.deliver(at('refused'), payload({ CLIENT_SECRET: canary.text }), makeMark(1), 'absent');
      const error: unknown = await refused.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ fault: 'rejected' });
      expect(leakIn(error, [canary])).toBeNull();
    });

    it('reads a token file again when the API server does not know the token any more', async () => {
      await writeFile(file('token'), `${await team.token()}\n`, { mode: 0o600 });
      const rotating = await open('token-file.yaml', { tokenFile: 'token' });
      const absent = { state: 'absent' };
      expect(await rotating.describe(at('nothing'))).toEqual(absent);
      await writeFile(file('token'), 'a token that nobody knows\n');
      expect(await rotating.describe(at('nothing'))).toEqual(absent); // the one in memory is still good
      const renewed = await open('token-file.yaml', { tokenFile: 'token' });
      await expect(renewed.describe(at('nothing'))).rejects.toMatchObject({ fault: 'denied' });
      await writeFile(file('token'), `${await team.token()}\n`);
      expect(await renewed.describe(at('nothing'))).toEqual(absent);
    });

    it('reads the certificate authority again when the certificate is not trusted any more', async () => {
      const config = JSON.parse(kubeconfigOf(access, { token: await team.token() })) as { clusters: object[] };
      const cluster = { server: access.url, 'certificate-authority': 'ca.crt' };
      config.clusters = [{ name: 'test', cluster }];
      await writeFile(file('ca.crt'), rootCertificates[0]!);
      await writeFile(file('ca.yaml'), JSON.stringify(config), { mode: 0o600 });
      const options = { namespace: team.namespace, kubeconfig: file('ca.yaml'), context: null, cluster: null };
      const rotating = await kubernetesVaultType.create(options, createTestContext());
      const told = { fault: 'unavailable', message: expect.stringContaining('certificate-authority') as string };
      await expect(rotating.describe(at('nothing'))).rejects.toMatchObject(told);
      await writeFile(file('ca.crt'), access.ca);
      expect(await rotating.describe(at('nothing'))).toEqual({ state: 'absent' });
    });

    it("works as the pod's service account, and reads its token again", async () => {
      const account = file('pod/var/run/secrets/kubernetes.io/serviceaccount');
      await mkdir(account, { recursive: true });
      await writeFile(join(account, 'ca.crt'), access.ca);
      await writeFile(join(account, 'token'), 'a token that nobody knows');
      const { hostname, port } = new URL(access.url);
      vi.stubEnv('KUBERNETES_SERVICE_HOST', hostname);
      vi.stubEnv('KUBERNETES_SERVICE_PORT', port);
      try {
        const options = { namespace: team.namespace, kubeconfig: null, context: null, cluster: null };
        const pod = await openKubernetesVault(options, createTestContext(), file('pod'));
        await expect(pod.describe(at('nothing'))).rejects.toMatchObject({ fault: 'denied' });
        await writeFile(join(account, 'token'), await team.token());
        expect(await pod.describe(at('nothing'))).toEqual({ state: 'absent' });
      } finally {
        vi.unstubAllEnvs();
      }
    });

    it('the rights in config/policies/kubernetes.yaml are enough for the Secrets it names, and for no others', async () => {
      const text = await readFile('config/policies/kubernetes.yaml', 'utf8');
      const least = await KubernetesTeam.make(access, 'least');
      const token = await least.token();
      const ours = await open('least.yaml', { token });
      const ref = (name: string): EntryRef => ({ entry: `${least.namespace}/${name}`, options: {} });
      const refs = [ref('data8-orders'), ref('data8-checkout')];
      const statuses = async (): Promise<string[]> => (await ours.rights(refs)).map((right) => right.status);
      expect(await statuses()).toEqual(['ok', ...Array.from({ length: 6 }, () => 'missing')]);
      for (const document of parseAllDocuments(text.replaceAll('apps', least.namespace))) {
        const object = document.toJS() as { kind: string; subjects?: { namespace: string }[] };
        for (const subject of object.subjects ?? []) subject.namespace = least.namespace;
        const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${least.namespace}`;
        await must(access, 'POST', `${rbac}/${object.kind.toLowerCase()}s`, object);
      }
      await vi.waitFor(async () => {
        expect(await statuses()).toEqual(Array.from({ length: 7 }, () => 'ok'));
      }, 10_000);
      const { version } = await ours.deliver(refs[0]!, login, makeMark(1), 'absent');
      await ours.deliver(refs[0]!, payload({ CLIENT_SECRET: 'b' }), makeMark(2), version);
      expect(await ours.describe(refs[0]!, { prove: true })).toMatchObject({ mark: makeMark(2), binding: 'bound' });
      expect(await ours.describe(refs[1]!)).toEqual({ state: 'absent' });
      await expect(ours.describe(ref('of-somebody-else'))).rejects.toMatchObject({ fault: 'denied' });
    });

    it('prints the Role that is missing, as it can be applied', async () => {
      const least = await KubernetesTeam.make(access, 'printed');
      const ours = await open('printed.yaml', { token: await least.token() });
      const ref: EntryRef = { entry: `${least.namespace}/orders`, options: {} };
      const rights = await ours.rights([ref]);
      const hint = rights.find((right) => right.status === 'missing')?.hint ?? '';
      const list = JSON.parse(hint.slice(hint.indexOf('{'))) as { items: { kind: string }[] };
      for (const item of list.items) {
        const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${least.namespace}`;
        await must(access, 'POST', `${rbac}/${item.kind.toLowerCase()}s?fieldValidation=Strict`, item);
      }
      await vi.waitFor(async () => {
        expect((await ours.rights([ref])).map((right) => right.status)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
      }, 10_000);
      await ours.deliver(ref, login, makeMark(1), 'absent');
    });
  },
);
