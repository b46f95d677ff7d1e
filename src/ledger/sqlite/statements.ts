import type { SQLInputValue } from 'node:sqlite';
import type { CredentialFilter, RotationFilter } from '../contract.ts';

export const CREDENTIAL = 'SELECT doc FROM credential WHERE issuer = ? AND client_id = ?';

const HEADER = `SELECT client_id, description, terms, state, due_at, resync_at, expires
  FROM credential INDEXED BY credential_header`;
export const HEADERS = `${HEADER} WHERE issuer = ? ORDER BY client_id LIMIT ?`;
export const HEADERS_AFTER = `${HEADER} WHERE issuer = ? AND client_id > ? ORDER BY client_id LIMIT ?`;

export const COUNTS = `SELECT issuer, state, count(*) AS count FROM credential INDEXED BY credential_header
  GROUP BY issuer, state ORDER BY issuer, state`;

/** A number that changes with the commits of other connections, and not with those of this one. */
export const DATA_VERSION = 'PRAGMA data_version';

export const INSERT_CREDENTIAL = `INSERT INTO credential
    (version, state, due_at, resync_at, expires, description, terms, names, doc, issuer, client_id)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;
export const UPDATE_CREDENTIAL = `UPDATE credential
  SET version = ?, state = ?, due_at = ?, resync_at = ?, expires = ?, description = ?, terms = ?, names = ?, doc = ?
  WHERE issuer = ? AND client_id = ? AND version = ?`;

export const ROTATION = 'SELECT doc FROM rotation WHERE id = ?';

export const INSERT_ROTATION = `INSERT INTO rotation
    (version, state, finished_at, watch_until, secret_id, doc, id, issuer, client_id, started_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;
/** What never changes is not set again: SQLite would write the indexes anew that it is in. */
export const UPDATE_ROTATION = `UPDATE rotation
  SET version = ?, state = ?, finished_at = ?, watch_until = ?, secret_id = ?, doc = ?
  WHERE id = ? AND version = ?`;

/** Whether the credential of rotation `r` names it or its secret. */
const NAMED = `EXISTS (SELECT 1 FROM credential AS c, json_each(c.names) AS n
  WHERE c.issuer = r.issuer AND c.client_id = r.client_id AND n.value IN ('rotation:' || r.id, 'secret:' || r.secret_id))`;

export const RELEVANT_ROTATIONS = `SELECT doc FROM rotation AS r WHERE issuer = ? AND client_id = ?
    AND (state NOT IN ('done', 'abandoned') OR started_at >= ? OR watch_until >= ? OR ${NAMED})
  ORDER BY started_at DESC, id DESC`;

/** The condition is word for word the one of its index. */
export const IN_FLIGHT = `SELECT DISTINCT issuer, client_id AS clientId FROM rotation
  WHERE state IN ('intended', 'created', 'verified', 'delivering') ORDER BY issuer, client_id`;

export const STARTED_SINCE = 'SELECT count(*) AS count FROM rotation WHERE started_at >= ?';

export const OUTDATED_ROTATIONS = `SELECT finished_at, id, ${NAMED} AS named FROM rotation AS r
  WHERE finished_at IS NOT NULL AND finished_at < ? AND state IN ('done', 'abandoned')
    AND (watch_until IS NULL OR watch_until < ?) AND (finished_at, id) > (?, ?)
  ORDER BY finished_at, id LIMIT ?`;
export const DELETE_ROTATION = 'DELETE FROM rotation WHERE id = ?';

export const NOTE = 'SELECT version, doc FROM note WHERE key = ?';
export const INSERT_NOTE = 'INSERT INTO note (key, version, doc) VALUES (?, 1, ?) ON CONFLICT DO NOTHING';
export const UPDATE_NOTE = 'UPDATE note SET version = version + 1, doc = ? WHERE key = ? AND version = ?';

export const DELETE_PROBE = 'DELETE FROM probe';
export const INSERT_PROBE = 'INSERT INTO probe (id, filler) VALUES (1, zeroblob(?))';

export interface Query {
  readonly text: string;
  readonly parameters: readonly SQLInputValue[];
}

/** A page of credentials in the order of (issuer, clientId), after the key of the last one seen. */
export function credentialsPage(
  filter: CredentialFilter,
  after: readonly [issuer: string, clientId: string] | null,
  rows: number,
): Query {
  // the index is in the same order and knows the state: of those that are passed over no document is read
  const from = filter.state === undefined ? 'credential' : 'credential INDEXED BY credential_header';
  return selectPage(`SELECT doc, issuer, client_id FROM ${from}`, 'ORDER BY issuer, client_id', rows, [
    ['issuer = ?', filter.issuer],
    ['state = ?', filter.state],
    ['(issuer, client_id) > (?, ?)', ...(after ?? [undefined])],
  ]);
}

/** A page of rotations, newest first, after the key of the last one seen. */
export function rotationsPage(
  filter: RotationFilter,
  after: readonly [startedAt: number, id: string] | null,
  rows: number,
): Query {
  return selectPage('SELECT doc, started_at, id FROM rotation', 'ORDER BY started_at DESC, id DESC', rows, [
    ['issuer = ?', filter.issuer],
    ['client_id = ?', filter.clientId],
    ['state = ?', filter.state],
    ['(started_at, id) < (?, ?)', ...(after ?? [undefined])],
  ]);
}

type Condition = readonly [text: string, ...values: readonly (string | number | undefined)[]];

/** Conditions without a value are left out; their texts are few, so that few statements are prepared. */
function selectPage(select: string, order: string, rows: number, conditions: readonly Condition[]): Query {
  const asked = conditions.filter(([, value]) => value !== undefined);
  const where = asked.length === 0 ? '' : `WHERE ${asked.map(([text]) => text).join(' AND ')}`;
  const values = asked.flatMap(([, ...parameters]) => parameters.filter((value) => value !== undefined));
  return { text: `${select} ${where} ${order} LIMIT ?`, parameters: [...values, rows] };
}
