import { createHash } from 'node:crypto';
import { compilePattern } from '../../config/pattern.ts';
import type { Reason } from '../../domain/reason.ts';
import { formatDuration, formatInstantOrNull, HOUR } from '../../domain/time.ts';
import type { Instant } from '../../domain/time.ts';
import type { Page } from '../../ledger/contract.ts';
import type { CredentialKey, CredentialRecord } from '../../ledger/records.ts';
import { activePause } from '../../rotation/pauses.ts';
import { Refusal } from '../api.ts';
import type { Engine } from '../engine.ts';
import type { BulkPreview, BulkPreviewItem, BulkWish } from './bulk-api.ts';

const PAGE = 500;

/** Whom a bulk would rotate, in the order of need, and what a person is shown of that. */
export interface Selection {
  readonly keys: readonly CredentialKey[];
  readonly preview: BulkPreview;
}

interface Wanted {
  readonly item: BulkPreviewItem;
  readonly ends: Instant | null;
}

/**
 * Goes through the ledger, a page in memory at a time; of those to be rotated it keeps who they are.
 * @param previous the id of the newest bulk: a digest is good for one bulk, also where nothing else has changed.
 * @throws Refusal `invalid` for a pattern that cannot be used; LedgerError.
 */
export async function select(
  engine: Engine,
  wish: BulkWish,
  previous: string | null,
  limit: number,
): Promise<Selection> {
  const isMatched = matcherOf(wish.match);
  const { ledger, ticker } = engine.world;
  const digest = createHash('sha256').update(JSON.stringify([previous, wish.match, wish.grace, wish.force]));
  const wanted: Wanted[] = [];
  const skipped: BulkPreviewItem[] = [];
  const skippedFor: Record<string, number> = {};
  let skip = 0;
  let inGrace = 0;
  let cursor: string | null = null;
  do {
    const page: Page<CredentialRecord> = await ledger.credentials({}, PAGE, cursor);
    for (const record of page.items) {
      if (!isMatched(record)) continue;
      const { issuer, clientId, name, state } = record;
      const reason = reasonToSkip(engine, record, wish.force);
      const ends = record.current?.expires ?? null;
      const item: BulkPreviewItem = {
        ...{ issuer, clientId, name, state, reason },
        action: reason === null ? 'rotate' : 'skip',
        expires: formatInstantOrNull(ends),
      };
      if (reason === null) {
        digest.update(`${JSON.stringify([issuer, clientId])}\n`);
        wanted.push({ item, ends });
        inGrace += record.secrets.filter((each) => each.role === 'superseded').length;
        continue;
      }
      skip += 1;
      skippedFor[reason] = (skippedFor[reason] ?? 0) + 1;
      if (skipped.length < limit) skipped.push(item);
    }
    cursor = page.nextCursor;
    // an embedded ledger answers without a turn of the event loop
    if (cursor !== null) await ticker.sleep(0, engine.leaving.signal);
  } while (cursor !== null);
  wanted.sort((a, b) => (a.ends ?? Number.MAX_VALUE) - (b.ends ?? Number.MAX_VALUE));
  return {
    keys: wanted.map(({ item: { issuer, clientId } }) => ({ issuer, clientId })),
    preview: {
      matched: wanted.length + skip,
      rotate: wanted.length,
      skip,
      skippedFor,
      inGrace,
      atLeast: wish.force ? '0s' : atLeast(engine, wanted.length),
      digest: digest.digest('hex'),
      items: [...wanted.slice(0, limit).map(({ item }) => item), ...skipped].slice(0, limit),
    },
  };
}

/** @throws Refusal `invalid` */
function matcherOf(match: string): (record: CredentialRecord) => boolean {
  const pattern = compilePattern(match);
  if ('problem' in pattern) throw new Refusal('invalid', `the pattern ${match} cannot be used: ${pattern.problem}`);
  return ({ issuer, clientId, name }) =>
    [`${issuer}/${clientId}`, clientId, name].some((each) => pattern.match(each) !== null);
}

/** Why a credential cannot be rotated now by a bulk; null: it can. Of a limit that a person forces it is none. */
export function reasonToSkip(engine: Engine, record: CredentialRecord, force: boolean): Reason | null {
  if (record.goneSince !== null) return 'credential-gone';
  // by the rules, not by the stored state: that one is as old as the last look
  const terms = engine.termsOf(record);
  if (!engine.world.issuers.has(record.issuer)) return 'unmanaged';
  if (terms.kind !== 'managed') return terms.kind;
  if (terms.suspended) return 'suspended';
  if (activePause(record.pause, engine.world.clock.now()) !== null) return 'paused';
  if (record.state !== 'blocked' || (force && record.reason === 'budget-spent')) return null;
  return record.reason;
}

/** A place of the hour frees an hour after it was taken: so many at once, the next so many an hour later. */
function atLeast(engine: Engine, count: number): string {
  const { rotationsPerHour } = engine.world.settings.limits;
  const beyond = Math.max(0, count - engine.restraints.freePlaces());
  return beyond === 0 ? '0s' : formatDuration(Math.ceil(beyond / rotationsPerHour) * HOUR);
}
