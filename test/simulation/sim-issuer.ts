import type { Ports } from '../../src/domain/ports.ts';
import type { Instant } from '../../src/domain/time.ts';
import type { IssuerTiming, ListedCredential } from '../../src/issuers/contract.ts';
import { latest } from '../fakes/memory-issuer-history.ts';
import type { StoredSecret } from '../fakes/memory-issuer-history.ts';
import { MemoryIssuer } from '../fakes/memory-issuer.ts';

/** In every value, and in nothing else: letters that no escaping changes, however often it is done. */
const TAINT = 't41NTedVALUE';
/** Follows it in every value: looks different in JSON, in a URL and in base64. */
const AWKWARD = '"/+%~';

/** What a leaked value would show of itself: in any text, and in base64 of any text, which has three alignments. */
export const TAINTS: readonly string[] = [
  TAINT,
  ...['', 'x', 'xx'].map((before) => {
    const text = Buffer.from(`${before}${TAINT}`).toString('base64');
    // only what no neighbour can change
    return text.slice(before.length === 0 ? 0 : 4, -4);
  }),
];

/** The issuer of the simulated world: the fake of the other tests, with values that can be looked for. */
export class SimIssuer extends MemoryIssuer {
  constructor(ports: Pick<Ports, 'clock' | 'ticker'>, timing: IssuerTiming) {
    super(ports, { timing });
  }

  /** Credentials that its list lacks, though they are there. */
  readonly unlisted = new Set<string>();

  override async listCredentials(signal?: AbortSignal): Promise<readonly ListedCredential[]> {
    const all = await super.listCredentials(signal);
    return all.filter(({ clientId }) => !this.unlisted.has(clientId));
  }

  find(clientId: string, secretId: string): StoredSecret | null {
    return this.credentials.get(clientId)?.secrets.get(secretId) ?? null;
  }

  every(clientId: string): Iterable<StoredSecret> {
    return this.credentials.get(clientId)?.secrets.values() ?? [];
  }

  /** Whether a secret lets a consumer in at `at`. */
  isAlive(clientId: string, secretId: string, at: Instant): boolean {
    const secret = this.find(clientId, secretId);
    if (secret === null || (secret.deletedAt !== null && secret.deletedAt <= at)) return false;
    const { expires } = latest(secret.versions);
    return expires === null || expires > at;
  }

  protected override valueOfNew(secretId: string, clientId: string): string {
    return `${TAINT}${AWKWARD}${secretId}-${clientId}`;
  }
}
