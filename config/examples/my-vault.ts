// A vault of your own: entries as rows of a SQLite table that an application reads. See docs/vaults/module.md.
//
//   vaults:
//     mine: { type: module, module: ./my-vault.ts, options: { database: /var/lib/app/secrets.db } }
//
// Node 24 runs TypeScript as it stands; only types are imported, so that nothing needs to be installed beside this file.
/* eslint-disable @typescript-eslint/require-await -- async, so that what is thrown is a rejected promise */
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { EntryContent, Mark, ModuleVault, ModuleVaultContext, Payload, VaultError } from 'rekeyd/vault';

const MOST_BYTES = 1_048_576;

interface Row {
  readonly version: number;
  readonly form: string;
  readonly value: string | null;
  readonly mark: string | null;
  readonly fingerprint: string | null;
}

/** What rekeyd calls once, at start. Check the options here: what is thrown here ends the start with a clear error. */
export function createVault(options: unknown, context: ModuleVaultContext): ModuleVault {
  const path = typeof options === 'object' && options !== null && 'database' in options ? options.database : undefined;
  if (typeof path !== 'string') throw context.error('rejected', "options.database must be the database's path.");

  writeFileSync(path, '', { mode: 0o600, flag: 'a' }); // SQLite itself would let everybody read a file that it makes
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec(`
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS secret (
      entry TEXT PRIMARY KEY, version INTEGER NOT NULL, form TEXT NOT NULL, value TEXT, mark TEXT, fingerprint TEXT
    ) STRICT;
  `);
  const select = database.prepare('SELECT version, form, value, mark, fingerprint FROM secret WHERE entry = ?');
  const insert = database.prepare(
    'INSERT INTO secret VALUES ($entry, 1, $form, $value, $mark, $fingerprint) ON CONFLICT DO NOTHING',
  );
  const update = database.prepare(
    `UPDATE secret SET version = version + 1, form = $form, value = $value, mark = $mark, fingerprint = $fingerprint
     WHERE entry = $entry AND version = $expected`,
  );

  const find = (entry: string): Row | undefined => select.get(entry) as Row | undefined;
  const conflict = (entry: string): VaultError =>
    context.error('conflict', 'somebody else wrote it since it was read.', entry);

  const read = (entry: string): EntryContent => {
    const row = find(entry);
    if (row === undefined) return { state: 'absent' };
    const mark = row.mark === null ? null : (JSON.parse(row.mark) as Mark);
    const payload: Payload | null =
      row.value === null || row.value === ''
        ? null
        : { form: row.form === 'fields' ? 'fields' : 'opaque', content: context.secret(row.value) };
    // The fingerprint binds the mark to its value: whoever edits one without the other breaks it.
    const bound = payload !== null && mark !== null && row.fingerprint === fingerprint(payload, mark);
    return { state: 'present', version: String(row.version), mark, binding: bound ? 'bound' : 'broken', payload };
  };

  return {
    identity: `sqlite:${path}`,
    capabilities: { compareAndSet: true },

    async describe(ref) {
      const found = read(ref.entry);
      if (found.state === 'absent') return found;
      const { version, mark, binding } = found;
      return { state: 'present', version, mark, binding };
    },

    async read(ref) {
      return read(ref.entry);
    },

    async deliver(ref, payload, mark, expected) {
      if (payload.content.byteLength > MOST_BYTES) {
        throw context.error('rejected', `the payload has more than ${MOST_BYTES} bytes.`, ref.entry);
      }
      const print = fingerprint(payload, mark);
      const row = find(ref.entry);
      const there = row === undefined ? 'absent' : String(row.version);
      if (there !== expected) throw conflict(ref.entry);
      // Nothing would change: nothing is written.
      if (row?.fingerprint === print && row.value === payload.content.reveal()) return { version: there };

      const values = {
        $entry: ref.entry,
        $form: payload.form,
        $value: payload.content.reveal(),
        $mark: JSON.stringify(mark),
        $fingerprint: print,
      };
      // The statement itself compares the version, so that another process cannot come in between.
      const { changes } = row === undefined ? insert.run(values) : update.run({ ...values, $expected: row.version });
      if (changes !== 1) throw conflict(ref.entry);
      return { version: row === undefined ? '1' : String(row.version + 1) };
    },

    async rights() {
      return [{ right: 'reached', status: 'ok', hint: '' }];
    },

    async close() {
      if (database.isOpen) database.close();
    },
  };
}

function fingerprint(payload: Payload, mark: Mark): string {
  const { instance, issuer, credential, generation, secretId, deliveredAt } = mark;
  return createHmac('sha256', payload.content.reveal())
    .update(JSON.stringify([payload.form, instance, issuer, credential, generation, secretId, deliveredAt]))
    .digest('hex');
}
