import type { BulkFate, BulkState } from '../../domain/bulk.ts';
import type { CredentialState } from '../../domain/credential-state.ts';
import type { Reason } from '../../domain/reason.ts';
import type { Duration } from '../../domain/time.ts';

/** The rotation of many credentials at once, for a breach. One at a time. */
export interface BulkApi {
  /**
   * What a bulk would do now. Begins nothing.
   * @param limit of the items; the counts are of all.
   * @throws Refusal `conflict` (mode, pause of everything), `invalid` (the pattern).
   */
  previewBulk(wish: BulkWish, limit: number): Promise<BulkPreview>;
  /**
   * Begins what was previewed: `confirm` is the preview's digest. Asked again with the same digest, the answer is the same
   * bulk, and nothing new is begun.
   * @throws Refusal as above; `bulk-changed` where another set would be rotated now, `bulk-running` where one is under way.
   */
  startBulk(wish: BulkWish, confirm: string, by: BulkCaller): Promise<BulkView>;
  /** Those that are remembered, newest first. */
  bulks(): Promise<readonly BulkView[]>;
  bulk(id: string): Promise<BulkView | null>;
  /** Ends it: what has begun goes on, the rest is left as it is. @throws Refusal `not-found`, `conflict` (it is over). */
  cancelBulk(id: string, actor: string): Promise<BulkView>;
}

export interface BulkWish {
  /** A glob on ISSUER/CLIENT, clientId or name. */
  readonly match: string;
  /** How long what is replaced stays valid; null: by each credential's policy. */
  readonly grace: Duration | null;
  /** Past budget, breaker and pace; never past the cap on live secrets. */
  readonly force: boolean;
  readonly note: string | null;
}

/** Who asks, and from where. */
export interface BulkCaller {
  readonly actor: string;
  readonly from: string;
}

export interface BulkPreviewItem {
  readonly issuer: string;
  readonly clientId: string;
  readonly name: string;
  readonly state: CredentialState;
  readonly action: 'rotate' | 'skip';
  /** Why it is skipped; null where it is not. */
  readonly reason: Reason | null;
  /** When what it serves ends; those to be rotated are in this order, soonest first. */
  readonly expires: string | null;
}

export interface BulkPreview {
  readonly matched: number;
  readonly rotate: number;
  readonly skip: number;
  /** How many are skipped for which reason. */
  readonly skippedFor: Readonly<Record<string, number>>;
  /** Secrets of those to be rotated that were replaced before and whose grace still runs: a bulk does not end it. */
  readonly inGrace: number;
  /** By the hour's pace it takes at least so long, as a duration text; `0s`: the pace does not hold it back. */
  readonly atLeast: string;
  /** What `confirm` must say. It names this set, the match, the grace and whether it is forced. */
  readonly digest: string;
  readonly items: readonly BulkPreviewItem[];
}

export type BulkCounts = Readonly<Record<BulkFate, number>>;

export interface BulkView {
  readonly id: string;
  readonly state: BulkState;
  readonly match: string;
  readonly grace: string | null;
  readonly note: string | null;
  readonly force: boolean;
  readonly actor: string;
  readonly from: string;
  readonly total: number;
  readonly counts: BulkCounts;
  /** What keeps the rest from being begun now; null: nothing does. */
  readonly heldBy: Reason | null;
  /** The newest of those that failed or were skipped, with why. */
  readonly unwell: readonly BulkUnwell[];
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly cancelledBy: string | null;
}

export interface BulkUnwell {
  readonly issuer: string;
  readonly clientId: string;
  readonly name: string;
  readonly fate: 'failed' | 'skipped';
  readonly reason: Reason;
  readonly error: string | null;
}
