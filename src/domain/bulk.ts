/** The closed lists of a bulk: the rotation of many credentials that a person asked for at once. Documented in docs/states.md. */
export const BULK_STATES = ['running', 'finished', 'cancelled'] as const;
export type BulkState = (typeof BULK_STATES)[number];

/** How it stands with one credential of a bulk. All but the first two are final. */
export const BULK_FATES = ['waiting', 'rotating', 'delivered', 'failed', 'skipped'] as const;
export type BulkFate = (typeof BULK_FATES)[number];

/**
 * What a request that waits goes ahead of. `nothing`: one of a bulk: pace, breaker and budget hold it. `pace`: one that a
 * person made for this credential alone: pace and breaker do not hold it, the budget does. `limits`: one of a bulk that a
 * person forced: none of the three holds it. The cap on live secrets holds them all.
 */
export type Passes = 'nothing' | 'pace' | 'limits';
