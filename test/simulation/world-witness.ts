import type { Invariant } from './invariants/invariant.ts';
import type { Witness } from './services.ts';
import type { Truth } from './truth.ts';

/** What a witness passes on to. */
export interface Listeners {
  readonly truth: Truth;
  /** Those that watch when it is called: more may come later. */
  readonly invariants: readonly Invariant[];
  /** A line of the timeline. */
  readonly line: (who: string, what: string) => void;
  readonly changed: (vault: string, entry: string, sentAt: number) => void;
}

/** Hears of all that daemons do to the world, and passes it on to the truth first, then to the invariants. */
export function witnessOf({ truth, invariants, line, changed }: Listeners): Witness {
  return {
    created: (process, clientId, secretId) => {
      truth.appeared(clientId, secretId, 'daemon');
      line('issuer', `made secret ${secretId} of ${clientId}`);
      for (const each of invariants) each.created?.(process, clientId, secretId);
    },
    deleted: (process, clientId, secretId) => {
      truth.disappeared(clientId, secretId, 'daemon');
      line('issuer', `deleted secret ${secretId} of ${clientId}`);
      for (const each of invariants) each.deleted?.(process, clientId, secretId);
    },
    changing: (process, operation, clientId, about) => {
      for (const each of invariants) each.changing?.(process, operation, clientId, about);
    },
    listed: (process, clientId, askedAt) => {
      for (const each of invariants) each.listed?.(process, clientId, askedAt);
    },
    looked: (process, vault, entry, askedAt) => {
      for (const each of invariants) each.looked?.(process, vault, entry, askedAt);
    },
    wrote: (_process, vault, entry, sentAt) => {
      changed(vault, entry, sentAt);
      line(vault, `${entry} serves ${truth.serving.get(`${vault}/${entry}`)?.secretId ?? 'nothing'}`);
    },
  };
}
