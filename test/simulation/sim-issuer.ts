import type { Ports } from '../../src/domain/ports.ts';
import type { Instant } from '../../src/domain/time.ts';
import type { IssuerTiming } from '../../src/issuers/contract.ts';
import { latest } from '../fakes/memory-issuer-history.ts';
import type { StoredSecret } from '../fakes/memory-issuer-history.ts';
import { MemoryIssuer } from '../fakes/memory-issuer.ts';

/** In every value: it looks different raw, in JSON, in a URL and in base64, and nothing else holds it. */
export const TAINT = 't41NT"/+%~';

/** What a leaked value would show of itself, in any of its disguises. Base64 has three alignments. */
export const TAINTS: readonly string[] = [
  TAINT,
  JSON.stringify(TAINT).slice(1, -1),
  encodeURIComponent(TAINT),
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
    return `${TAINT}${secretId}-${clientId}`;
  }
}
