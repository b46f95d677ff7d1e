import { expect, it } from 'vitest';
import { makeMark } from '../conformance/vault-bench.ts';
import { apiRequest, must } from './kubernetes-api.ts';
import { base64, describeOnKubernetes, login, payload } from './kubernetes-bench.ts';
import { KubernetesTeam } from './kubernetes-team.ts';

await describeOnKubernetes('cases', (given) => {
  it('V9: an immutable Secret is told as locked by any look, and refused', async () => {
    const bench = given();
    const ref = bench.at('immutable');
    const { version } = await bench.vault.deliver(ref, login, makeMark(1), 'absent');
    await bench.edit('immutable', { immutable: true });
    const locked = expect.stringContaining('immutable') as string;
    expect(await bench.vault.describe(ref)).toMatchObject({ state: 'present', version, locked });
    expect(await bench.vault.describe(ref, { prove: true })).toMatchObject({ binding: 'bound', locked });
    const again = bench.vault.deliver(ref, payload({ CLIENT_SECRET: 'b' }), makeMark(2), version);
    await expect(again).rejects.toMatchObject({ fault: 'locked' });
  });

  it('V9: an immutable Secret takes its mark back: metadata may change', async () => {
    const bench = given();
    const ref = bench.at('immutable-mark');
    const { version } = await bench.vault.deliver(ref, login, makeMark(1), 'absent');
    await bench.edit('immutable-mark', { immutable: true, metadata: { labels: null } });
    expect(await bench.vault.describe(ref, { prove: true })).toMatchObject({ version, mark: null });
    await bench.vault.restoreMark(ref, makeMark(1), version);
    expect(await bench.vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(1), binding: 'bound' });
  });

  it('V9: a Secret that is being deleted, held by a finalizer, is locked', async () => {
    const bench = given();
    const ref = bench.at('finalized');
    await bench.vault.deliver(ref, login, makeMark(1), 'absent');
    await bench.edit('finalized', { metadata: { finalizers: ['example.com/keep'] } });
    await bench.team.must('DELETE', '/secrets/finalized');
    const locked = expect.stringContaining('being deleted') as string;
    expect(await bench.vault.describe(ref)).toMatchObject({ state: 'present', locked });
    expect(await bench.vault.describe(ref, { prove: true })).toMatchObject({ state: 'present', locked });
  });

  it('V9: a write in between is a conflict, also one that leaves the value', async () => {
    const bench = given();
    const ref = bench.at('conflict');
    const { version } = await bench.vault.deliver(ref, login, makeMark(1), 'absent');
    const path = `/api/v1/namespaces/${bench.team.namespace}/secrets/conflict`;
    const { metadata } = await bench.stored('conflict');
    await bench.edit('conflict', { metadata: { labels: { team: 'a' } } });
    // what the bench.vault sends, at the resourceVersion before that edit
    const late = { metadata: { resourceVersion: metadata.resourceVersion, labels: { late: 'yes' } } };
    expect((await apiRequest(bench.access, 'PATCH', path, late)).status).toBe(409);
    // and the bench.vault itself reads again, so that a label of others never stands in its way
    await bench.vault.deliver(ref, payload({ CLIENT_SECRET: 'b' }), makeMark(2), version);
    expect((await bench.stored('conflict')).metadata.labels).toMatchObject({ team: 'a' });
  });

  it('V9: a namespace that is not there is an error, never absence', async () => {
    const bench = given();
    const everywhere = await bench.open('admin.yaml', { token: bench.access.token });
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
    await expect(bench.vault.describe(ref)).rejects.toMatchObject({ fault: 'denied' });
  });

  it('V9: a namespace that is being deleted is an error, never absence', async () => {
    const bench = given();
    const ending = await KubernetesTeam.make(bench.access, 'ending');
    const everywhere = await bench.open('admin.yaml', { token: bench.access.token });
    await must(bench.access, 'DELETE', `/api/v1/namespaces/${ending.namespace}`); // no controller is there to finish it
    const ref = { entry: `${ending.namespace}/orders`, options: {} };
    const told = { fault: 'unavailable', message: expect.stringContaining('is being deleted') as string };
    await expect(everywhere.describe(ref)).rejects.toMatchObject(told);
    await expect(everywhere.deliver(ref, login, makeMark(1), 'absent')).rejects.toMatchObject(told);
  });

  it('makes a Secret of the type, with the labels and annotations of the destination', async () => {
    const bench = given();
    const options = {
      type: 'example.com/oauth-client',
      labels: { 'app.kubernetes.io/part-of': 'orders' },
      annotations: { 'example.com/owner': 'Team "Orders"' },
    };
    const ref = bench.at('typed', options);
    const { version } = await bench.vault.deliver(ref, login, makeMark(1), 'absent');
    const secret = await bench.stored('typed');
    expect(secret.type).toBe('example.com/oauth-client');
    expect(secret.data).toEqual({ CLIENT_ID: base64('orders'), CLIENT_SECRET: base64('a value') });
    const labels = { 'app.kubernetes.io/part-of': 'orders', 'app.kubernetes.io/managed-by': 'rekeyd' };
    expect(secret.metadata.labels).toEqual(labels);
    const credential = { 'example.com/owner': 'Team "Orders"', 'rekeyd.io/credential': 'suite-client' };
    expect(secret.metadata.annotations).toMatchObject(credential);
    // a label that was taken off is no drift of the mark, and comes back with the next delivery
    await bench.edit('typed', { metadata: { labels: { 'app.kubernetes.io/part-of': null } } });
    expect(await bench.vault.describe(ref, { prove: true })).toMatchObject({ version, binding: 'bound' });
    await bench.vault.deliver(ref, login, makeMark(1), version);
    expect((await bench.stored('typed')).metadata.labels).toEqual(labels);
  });

  it('V16: leaves the resourceVersion alone where nothing changed', async () => {
    const bench = given();
    const ref = bench.at('unchanged');
    const { version } = await bench.vault.deliver(ref, login, makeMark(1), 'absent');
    const before = (await bench.stored('unchanged')).metadata.resourceVersion;
    await bench.vault.deliver(ref, login, makeMark(1), version);
    expect((await bench.stored('unchanged')).metadata.resourceVersion).toBe(before);
  });

  it('takes away keys that it wrote and that are no field any more, and no others', async () => {
    const bench = given();
    const ref = bench.at('keys');
    const { version } = await bench.vault.deliver(ref, login, makeMark(1), 'absent');
    await bench.edit('keys', { data: { THEIRS: base64('of somebody else') } });
    const next = payload({ CLIENT_SECRET: 'another value', expires: null });
    await bench.vault.deliver(ref, next, makeMark(2), version);
    expect((await bench.stored('keys')).data).toEqual({
      CLIENT_SECRET: base64('another value'),
      THEIRS: base64('of somebody else'),
      expires: '', // a Secret has no null, and a secretKeyRef must find its key
    });
    const seen = await bench.vault.read(ref);
    expect(seen.state === 'present' && seen.payload?.content.equals(next.content)).toBe(true);
  });

  it('takes a Secret over that was made by hand, and leaves its other keys', async () => {
    const bench = given();
    await bench.team.must('POST', '/secrets', {
      metadata: { name: 'by-hand' },
      data: { CLIENT_ID: base64('orders'), CLIENT_SECRET: base64('old'), THEIRS: base64('kept') },
    });
    const ref = bench.at('by-hand');
    const seen = await bench.vault.describe(ref, { prove: true });
    const version = seen.state === 'present' ? seen.version : '';
    await bench.vault.deliver(ref, login, makeMark(1), version);
    const data = { CLIENT_ID: base64('orders'), CLIENT_SECRET: base64('a value'), THEIRS: base64('kept') };
    expect((await bench.stored('by-hand')).data).toEqual(data);
    expect(await bench.vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(1), binding: 'bound' });
  });

  it('C8: a stripped mark is restored beside keys of others, and claims none of them', async () => {
    const bench = given();
    const ref = bench.at('stripped');
    const { version } = await bench.vault.deliver(ref, login, makeMark(1), 'absent');
    await bench.edit('stripped', { metadata: { annotations: null, labels: null }, data: { THEIRS: base64('kept') } });
    expect(await bench.vault.describe(ref)).toMatchObject({ version, mark: null, binding: 'broken' });
    await bench.vault.restoreMark(ref, makeMark(1), version);
    expect(await bench.vault.describe(ref, { prove: true })).toMatchObject({
      version,
      mark: makeMark(1),
      binding: 'bound',
    });
    await bench.vault.deliver(ref, payload({ CLIENT_SECRET: 'b' }), makeMark(2), version);
    expect((await bench.stored('stripped')).data).toEqual({ CLIENT_SECRET: base64('b'), THEIRS: base64('kept') });
  });

  it('V17: a value that was edited shows without reading it, by who wrote it last', async () => {
    const bench = given();
    const ref = bench.at('edited');
    await bench.vault.deliver(ref, login, makeMark(1), 'absent');
    expect(await bench.vault.describe(ref)).toMatchObject({ mark: makeMark(1), binding: 'unproven' });
    await bench.edit('edited', { data: { CLIENT_SECRET: base64('by hand') } });
    expect(await bench.vault.describe(ref)).toMatchObject({ mark: makeMark(1), binding: 'broken' });
  });

  it('V17: a mark that was copied onto another value is broken', async () => {
    const bench = given();
    const ref = bench.at('copied');
    await bench.vault.deliver(ref, login, makeMark(1), 'absent');
    const { metadata } = await bench.stored('copied');
    const { labels, annotations } = metadata;
    const data = { CLIENT_ID: base64('orders'), CLIENT_SECRET: base64('another') };
    await bench.team.must('POST', '/secrets', { metadata: { name: 'copy', labels, annotations }, data });
    expect(await bench.vault.describe(bench.at('copy'))).toMatchObject({ mark: makeMark(1), binding: 'broken' });
  });

  it('V10: refuses a field that is no key of a Secret, and values that are too large with those of others', async () => {
    const bench = given();
    const ref = bench.at('limits');
    const odd = bench.vault.deliver(ref, payload({ 'client secret': 'x' }), makeMark(1), 'absent');
    await expect(odd).rejects.toMatchObject({ fault: 'rejected' });
    expect(await bench.vault.describe(ref)).toEqual({ state: 'absent' });
    const { version } = await bench.vault.deliver(ref, login, makeMark(1), 'absent');
    await bench.edit('limits', { data: { THEIRS: base64('x'.repeat(600_000)) } });
    const large = bench.vault.deliver(ref, payload({ CLIENT_SECRET: 'x'.repeat(600_000) }), makeMark(2), version);
    await expect(large).rejects.toMatchObject({ fault: 'rejected' });
    expect(await bench.vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(1), binding: 'bound' });
  });
});
