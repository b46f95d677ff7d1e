import type { Ports } from '../../../src/domain/ports.ts';
import type { Duration, Instant } from '../../../src/domain/time.ts';
import { countedIds, seededRandom } from '../../fakes/manual-ports.ts';

/** The time-out that the tests configure: its sleeps are told from all others by their length. */
export const TIMEOUT = 7_001;

/** Real time after which a time-out counts as over. */
const REAL_TIMEOUT = 250;

export interface SkippingPorts extends Ports {
  /** Every sleep but those of time-outs, in order. */
  readonly sleeps: Duration[];
  /** Moves the clock on, as if nobody had asked for anything meanwhile. */
  pass(duration: Duration): void;
  /** Moves only the wall clock. */
  jump(duration: Duration): void;
}

/**
 * Ports for tests that talk over real sockets: waits end at once, and the clock is as much later; time-outs end after a
 * quarter of a real second, where an answer has not come by then.
 */
export function createSkippingPorts(start: Instant = Date.UTC(2030, 0, 1)): SkippingPorts {
  let passed = 0;
  let jumped = 0;
  const sleeps: Duration[] = [];
  return {
    sleeps,
    pass: (duration) => (passed += duration),
    jump: (duration) => (jumped += duration),
    clock: { now: () => start + passed + jumped, monotonic: () => passed },
    random: seededRandom(1),
    ids: countedIds(),
    ticker: {
      sleep: async (duration, signal) => {
        signal?.throwIfAborted();
        if (duration === TIMEOUT) await realSleep(REAL_TIMEOUT, signal);
        else sleeps.push(duration);
        passed += duration;
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
      },
      schedule: () => {
        throw new Error('an issuer schedules nothing');
      },
    },
  };
}

function realSleep(duration: Duration, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, duration);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
