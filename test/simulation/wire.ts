import type { Duration } from '../../src/domain/time.ts';
import { MINUTE, SECOND } from '../../src/domain/time.ts';
import type { SimProcess } from './machine.ts';
import type { Trace } from './trace.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { CallLabel, Fault, Weather } from './weather.ts';
import type { Chance } from './chance.ts';

/** What a caller is told instead of an answer. */
export type Refusal = 'refused' | 'no-answer' | 'throttled' | 'error' | 'denied' | 'garbled';

/** What all wires of a simulated world share. */
export interface Network {
  readonly time: VirtualTime;
  readonly weather: Weather;
  readonly trace: Trace;
  readonly chance: Chance;
  /** Kills a process now; who started it decides when it runs again. */
  crash(process: SimProcess): void;
  /** Hears of every call as it leaves. */
  called(process: SimProcess, call: CallLabel, fault: Fault | null): void;
}

/** One call over the network. */
export interface WireCall<T> extends CallLabel {
  /** Does at the service what is asked; `lag`: how long ago the state is that a read shows. */
  readonly apply: (lag: Duration) => Promise<T>;
  /** How stale a read may be. */
  readonly staleness: Duration;
  /** How long the caller waits; null: for ever (somebody above it keeps the time). */
  readonly patience: Duration | null;
  /** A request that was given up may be applied within this. */
  readonly lifetime: Duration;
  readonly refuse: (refusal: Refusal) => Error;
  readonly signal: AbortSignal | undefined;
}

const LATENCY = { least: 5, most: 400 };
const LONGEST_FREEZE = 40 * MINUTE;

/**
 * Sends a call from a process to a service: it arrives some time later, and its answer some time after that, in whatever
 * order that makes; or it meets one of the faults.
 */
export function send<T>(network: Network, process: SimProcess, call: WireCall<T>): Promise<T> {
  const { time, weather, chance, trace } = network;
  return new Promise((resolve, reject) => {
    if (process.isOver) return;
    call.signal?.throwIfAborted();
    const fault = weather.meet(call, time.now);
    trace.add(time.now, fault === null ? call.text : `${call.text} ${fault}`);
    network.called(process, call, fault);
    const delay = () => chance.integer(`latency ${call.target}`, LATENCY.least, LATENCY.most);
    const giveUp = (): void => reject(call.signal?.reason as Error);
    call.signal?.addEventListener('abort', giveUp, { once: true });
    const ended = (): void => call.signal?.removeEventListener('abort', giveUp);

    const answerWith = (settle: () => void, wait = delay()): void => {
      time.after(wait, () => {
        if (fault === 'crash-after') network.crash(process);
        process.deliver(() => {
          ended();
          settle();
        });
      });
    };
    const refuse = (refusal: Refusal, wait = delay()): void => answerWith(() => reject(call.refuse(refusal)), wait);
    /** Applies it; `answer`: and lets the caller hear of it. */
    const arrive = (answer: boolean, lag = 0, slowness = 0): void => {
      const applied = call.apply(lag);
      if (fault === 'crash-applied') network.crash(process);
      if (!answer) {
        applied.catch(() => undefined); // nobody hears of it
        return;
      }
      applied.then(
        (value) => answerWith(() => resolve(value), delay() + slowness),
        (error: unknown) => answerWith(() => reject(thrown(error)), delay() + slowness),
      );
    };
    const lose = (): void => {
      if (call.patience !== null) refuse('no-answer', call.patience);
    };
    const freeze = (): void => {
      process.freeze();
      time.after(chance.integer('freeze', SECOND, LONGEST_FREEZE), () => process.thaw());
    };

    switch (fault) {
      case null:
      case 'crash-applied':
      case 'crash-after':
        time.after(delay(), () => arrive(true));
        break;
      case 'crash-before':
        network.crash(process);
        break;
      case 'freeze-before':
        freeze();
        process.deliver(() => time.after(delay(), () => arrive(true)));
        break;
      case 'freeze-after':
        time.after(delay(), () => {
          freeze();
          arrive(true);
        });
        break;
      case 'stale':
        time.after(delay(), () => arrive(true, Math.floor(call.staleness * chance.draw('staleness'))));
        break;
      case 'slow':
        time.after(delay(), () => arrive(true, 0, 20 * SECOND));
        break;
      case 'refused':
      case 'throttled':
      case 'error':
      case 'denied':
        refuse(fault);
        break;
      case 'lost-before':
        lose();
        break;
      case 'applied-and-lost':
        time.after(delay(), () => arrive(false));
        lose();
        break;
      case 'late':
        time.after(
          (call.patience ?? 30 * SECOND) + Math.floor(chance.draw('lateness') * (call.lifetime - MINUTE)),
          () => arrive(false),
        );
        lose();
        break;
      case 'duplicated':
      case 'repeated':
        time.after(delay(), () => {
          arrive(fault === 'duplicated');
          time.after(Math.floor(chance.draw('lateness') * (call.lifetime - MINUTE)), () => arrive(false));
        });
        if (fault === 'repeated') lose();
        break;
      case 'garbled':
        time.after(delay(), () => arrive(false));
        refuse('garbled', 2 * LATENCY.most);
        break;
    }
  });
}

/** What was thrown, as the error that it is: nothing else is thrown here. */
export function thrown(error: unknown): Error {
  return error instanceof Error ? error : new Error(`something was thrown that is no error: ${String(error)}`);
}
