import { LedgerError } from '../../src/domain/errors.ts';
import { ROTATION_STATES } from '../../src/domain/rotation-state.ts';
import type { RotationState } from '../../src/domain/rotation-state.ts';
import type { Changes, Ledger } from '../../src/ledger/contract.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';
import type { MemorySnapshot } from '../../src/ledger/memory/snapshot.ts';
import type { SimProcess } from './machine.ts';
import { thrown } from './wire.ts';
import type { Network } from './wire.ts';

/**
 * The disk that a ledger lies on. A commit that was answered has been flushed; one that was cut off by a crash is on it or
 * not. It can fill up, be lost, or be replaced by an old copy. The ledger itself is the shipped one.
 */
export class Disk {
  readonly name: string;
  ledger = new MemoryLedger();
  isFull = false;
  /** Copies that somebody made, oldest first. */
  readonly copies: MemorySnapshot[] = [];
  readonly #network: Network;
  /** How far each record is in a ledger, as it was stored last: to read it back would cost more than all the rest of a commit. */
  readonly #reached = new WeakMap<MemoryLedger, Map<string, number>>();
  /** S11: told what moved back. */
  onMovedBack: (what: string) => void = () => undefined;

  constructor(name: string, network: Network) {
    this.name = name;
    this.#network = network;
  }

  backUp(): void {
    this.copies.push(this.ledger.snapshot());
    if (this.copies.length > 5) this.copies.shift();
  }

  /** Nothing is left of it. */
  lose(): void {
    this.ledger = new MemoryLedger();
  }

  /** An old copy takes its place. @returns false where there is none. */
  restore(age: number): boolean {
    const copy = this.copies[Math.min(age, this.copies.length - 1)];
    if (copy === undefined) return false;
    this.ledger = MemoryLedger.from(copy);
    return true;
  }

  /** The ledger, as one process has it open. */
  open(process: SimProcess): Ledger {
    const { ledger } = this;
    const write = <T>(text: string, store: () => Promise<T>): Promise<T> => this.#write(process, text, store);
    return {
      type: ledger.type,
      setAside: null,
      credential: (key) => heard(process, ledger.credential(key)),
      headers: (issuer) => ledger.headers(issuer),
      credentials: (filter, limit, cursor) => heard(process, ledger.credentials(filter, limit, cursor)),
      countsByState: () => heard(process, ledger.countsByState()),
      rotation: (id) => heard(process, ledger.rotation(id)),
      rotations: (filter, limit, cursor) => heard(process, ledger.rotations(filter, limit, cursor)),
      relevantRotations: (key, since) => heard(process, ledger.relevantRotations(key, since)),
      inFlight: () => heard(process, ledger.inFlight()),
      startedSince: (since) => heard(process, ledger.startedSince(since)),
      commit: (changes) =>
        write('commit', async () => {
          const moved = await this.#movedBack(changes);
          const stored = await ledger.commit(changes);
          if (stored) {
            for (const each of moved) this.onMovedBack(each);
            this.#keep(ledger, changes);
          }
          return stored;
        }),
      note: (key) => heard(process, ledger.note(key)),
      putNote: (key, note) => write('putNote', () => ledger.putNote(key, note)),
      prune: (before) => write('prune', () => ledger.prune(before)),
      check: () => (this.isFull ? Promise.reject(noSpace()) : heard(process, ledger.check())),
      close: () => Promise.resolve(),
    };
  }

  #write<T>(process: SimProcess, operation: string, store: () => Promise<T>): Promise<T> {
    const { time, weather, trace, chance } = this.#network;
    return new Promise((resolve, reject) => {
      if (process.isOver) return;
      const call = { text: `${process.machine.name} disk.${operation}`, target: 'disk', isChange: true };
      const fault = weather.meet(call, time.now);
      trace.add(time.now, fault === null ? call.text : `${call.text} ${fault}`);
      this.#network.called(process, call, fault);
      if (fault === 'crash-before') {
        this.#network.crash(process);
        return;
      }
      const leave = (): void => {
        time.after(1, () => {
          if (this.isFull || fault === 'error') {
            process.deliver(() => reject(noSpace()));
            return;
          }
          const stored = store();
          if (fault === 'crash-applied' || fault === 'crash-after') this.#network.crash(process);
          if (fault === 'freeze-after') this.#freeze(process, chance.integer('freeze', 1000, 2_400_000));
          stored.then(
            (value) => process.deliver(() => resolve(value)),
            (error: unknown) => process.deliver(() => reject(thrown(error))),
          );
        });
      };
      if (fault === 'freeze-before') {
        this.#freeze(process, chance.integer('freeze', 1000, 2_400_000));
        process.deliver(leave);
      } else leave();
    });
  }

  #freeze(process: SimProcess, duration: number): void {
    process.freeze();
    this.#network.time.after(duration, () => process.thaw());
  }

  /** What the changes would move back, were they stored: for compare-and-set to refuse. */
  async #movedBack({ rotations = [], credentials = [] }: Changes): Promise<string[]> {
    const reached = this.#reached.get(this.ledger);
    const moved: string[] = [];
    for (const { id, state } of rotations) {
      const at = reached?.get(id) ?? stepOf((await this.ledger.rotation(id))?.state);
      if (stepOf(state) < at) moved.push(`rotation ${id} from ${ROTATION_STATES[at] ?? 'nothing'} to ${state}`);
    }
    for (const { issuer, clientId, generation } of credentials) {
      const at = reached?.get(clientId) ?? (await this.ledger.credential({ issuer, clientId }))?.generation ?? 0;
      if (generation < at) moved.push(`${clientId} from generation ${at} to ${generation}`);
    }
    return moved;
  }

  #keep(ledger: MemoryLedger, { rotations = [], credentials = [] }: Changes): void {
    const reached = this.#reached.get(ledger) ?? new Map<string, number>();
    this.#reached.set(ledger, reached);
    for (const { id, state } of rotations) reached.set(id, stepOf(state));
    for (const { clientId, generation } of credentials) reached.set(clientId, generation);
  }
}

function stepOf(state: RotationState | undefined): number {
  return state === undefined ? -1 : ROTATION_STATES.indexOf(state);
}

/** A read is over at once; who has ended or is frozen hears of it as of anything else. */
function heard<T>(process: SimProcess, read: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    read.then(
      (value) => process.deliver(() => resolve(value)),
      (error: unknown) => process.deliver(() => reject(thrown(error))),
    );
  });
}

function noSpace(): LedgerError {
  return new LedgerError('the ledger could not store a record: no space is left on the disk');
}
