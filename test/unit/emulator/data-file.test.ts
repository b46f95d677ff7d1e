import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataFileError } from '../../../src/emulator/data-file.ts';
import { createEmulator } from '../../../src/emulator/emulator.ts';
import { callerWith, credentialWithSecret, failure, start, token } from './caller.ts';

describe('the data file', () => {
  let folder: string;
  let data: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'emulator-'));
    data = join(folder, 'account.json');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('brings everything back after a restart, and holds no value', async () => {
    const before = await start({ data });
    const { clientSecret } = before.emulator.bootstrap;
    const kept = await credentialWithSecret(before, { description: 'kept', expires: '2031-01-01T00:00:00.1234567Z' });
    const gone = await credentialWithSecret(before);
    await before.delete(`/ClientCredential/${gone.id}`);
    const views = await Promise.all(
      ['/ClientCredential', `/ClientCredential/${kept.id}`].map((path) => before.get(path)),
    );
    await before.emulator.close();

    const text = await readFile(data, 'utf8');
    for (const value of [kept.value, gone.value, clientSecret!]) expect(text).not.toContain(value);

    const emulator = await createEmulator({ data });
    expect(emulator.bootstrap).toEqual({ clientId: before.emulator.bootstrap.clientId, clientSecret: null });
    const { access_token } = (await token(emulator, { client_secret: clientSecret! })).json as { access_token: string };
    const after = callerWith(emulator, access_token);
    for (const view of views) {
      const path = view.text.startsWith('[') ? '/ClientCredential' : `/ClientCredential/${kept.id}`;
      expect((await after.get(path)).json).toEqual(view.json);
    }
    expect((await token(emulator, { client_id: kept.id, client_secret: kept.value })).status).toBe(200);
    const next = (await after.post(`/ClientCredential/${kept.id}/secrets`, {})).json as { clientSecretId: number };
    expect(next.clientSecretId).toBeGreaterThan(gone.secretId);
    await emulator.close();
  });

  it('is on the disk before the answer, and also where the answer is lost', async () => {
    const caller = await start({ data });
    const { id } = await credentialWithSecret(caller);
    await Promise.all(
      [1, 2, 3, 4, 5].map((n) => caller.post(`/ClientCredential/${id}/secrets`, { description: `n${n}` })),
    );
    const onDisk = async (): Promise<string> => readFile(data, 'utf8');
    for (const n of [1, 2, 3, 4, 5]) expect(await onDisk()).toContain(`"n${n}"`);
    caller.emulator.faults.set({ rules: [{ kind: 'lost-answer' }] });
    await failure(caller.post(`/ClientCredential/${id}/secrets`, { description: 'lost' }));
    expect(await onDisk()).toContain('"lost"');
    await caller.emulator.close();
    expect(await readdir(folder)).toEqual(['account.json']);
    expect((await stat(data)).mode & 0o777).toBe(0o600);
  });

  it('takes another secret for its bootstrap client, beside the one it has', async () => {
    const first = await createEmulator({ data });
    await first.close();
    const second = await createEmulator({ data, clientSecret: 'mine' });
    expect(second.bootstrap).toEqual({ clientId: first.bootstrap.clientId, clientSecret: 'mine' });
    expect((await token(second)).status).toBe(200);
    expect((await token(second, { client_secret: first.bootstrap.clientSecret! })).status).toBe(200);
    await second.close();
    const third = await createEmulator({ data, clientSecret: 'mine' });
    expect(third.account.credential(third.bootstrap.clientId).secrets.size).toBe(2);
    await third.close();
  });

  it('makes a bootstrap secret where the client has none that lives', async () => {
    const first = await start({ data });
    const { clientId } = first.emulator.bootstrap;
    const [secretId = 0] = first.emulator.account.credential(clientId).secrets.keys();
    await first.delete(`/ClientCredential/${clientId}/secrets/${secretId}`);
    await first.emulator.close();
    const second = await createEmulator({ data });
    expect((await token(second)).status).toBe(200);
    await second.close();
  });

  it.each([
    ['no JSON', 'canary{'],
    ['another file', '{"version": 2}'],
    ['a file with a value in it', '{"version":1,"nextSecretId":1,"credentials":[],"canary":"x"}'],
  ])('refuses %s, names the file, quotes nothing of it and leaves it alone', async (_what, text) => {
    await writeFile(data, text);
    const error = await createEmulator({ data }).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DataFileError);
    expect((error as Error).message).toContain(data);
    expect((error as Error).message).not.toContain('canary');
    expect(await readFile(data, 'utf8')).toBe(text);
  });

  it('answers 500 and says why where it cannot be written', async () => {
    const reports: string[] = [];
    const caller = await start({ data, report: (message) => reports.push(message) });
    await rm(folder, { recursive: true });
    expect((await caller.post('/ClientCredential', { description: 'x' })).status).toBe(500);
    expect(reports.join()).toContain('ENOENT');
    await caller.emulator.close();
  });
});
