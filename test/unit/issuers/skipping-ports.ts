import type { Ports } from '../../../src/domain/ports.ts';
import type { Duration, Instant } from '../../../src/domain/time.ts';
import { countedIds, seededRandom } from '../../fakes/manual-ports.ts';

/** The time-out that the tests configure: its sleeps are told from all others by their length. */
export const TIMEOUT = 7_001;

export interface SkippingPorts extends Ports {
  /** Every sleep but those of time-outs, in order. */
  readonly sleeps: Duration[];
  /** Ends all time-outs that run now. */
  expire(): void;
  /** Moves the clock on, as if nobody had asked for anything meanwhile. */
  pass(duration: Duration): void;
  /** Moves only the wall clock. */
  jump(duration: Duration): void;
}

/**
 * Ports for tests that talk over real sockets: waits end at once, and the clock is as much later; time-outs end when the
 * test says so, and never because the machine is slow.
 */
export function createSkippingPorts(start: Instant = Date.UTC(2030, 0, 1)): SkippingPorts {
  let passed = 0;
  let jumped = 0;
  const sleeps: Duration[] = [];
  const timeouts = new Set<() => void>();
  return {
    sleeps,
    expire: () => timeouts.forEach((end) => end()),
    pass: (duration) => (passed += duration),
    jump: (duration) => (jumped += duration),
    clock: { now: () => start + passed + jumped, monotonic: () => passed },
    random: seededRandom(1),
    ids: countedIds(),
    ticker: {
      sleep: async (duration, signal) => {
        signal?.throwIfAborted();
        if (duration === TIMEOUT) await untilExpired(timeouts, signal);
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

function untilExpired(timeouts: Set<() => void>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      timeouts.delete(end);
      resolve();
    };
    timeouts.add(end);
    signal?.addEventListener('abort', () => {
      timeouts.delete(end);
      reject(signal.reason as Error);
    });
  });
}
