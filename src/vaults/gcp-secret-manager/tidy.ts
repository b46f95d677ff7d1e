import { VaultError, safeMessage } from '../../domain/errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { fits } from './annotations.ts';
import type { Line } from './annotations.ts';
import type { SecretManagerApi } from './api.ts';

/** No more versions than this are looked at. */
const MOST = 8;

/**
 * Looks at what came between the version that was seen and the one that was added. A version with the very value of ours
 * is what an earlier try left, and is disabled: a newer one is served. Another's value is told: adding a version knows no
 * compare-and-set. A failure is told as well, and is none of the delivery. @throws the abort reason of `signal`
 */
export async function tidyBetween(
  api: SecretManagerApi,
  log: Log,
  place: {
    readonly entry: string;
    readonly before: number;
    readonly added: number;
    readonly line: Line;
  },
  signal: AbortSignal | undefined,
): Promise<void> {
  const { entry, before, added, line } = place;
  for (let number = Math.max(before + 1, added - MOST); number < added; number += 1) {
    try {
      const accessed = await api.access(entry, number, signal);
      if (accessed.state !== 'value') continue;
      if (accessed.content !== null && fits(line, accessed.content)) {
        await api.disable(entry, number, signal);
        log.info('vault-duplicate-disabled', 'A version that an earlier try left was disabled', { entry, number });
      } else {
        log.warn('vault-overtook', 'A value was added by another between look and write: it is not served any more', {
          entry,
          number,
        });
      }
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      log.warn('vault-tidy-failed', 'A version that an earlier try may have left could not be looked at or disabled', {
        entry,
        number,
        error: safeMessage(error),
      });
    }
  }
}
