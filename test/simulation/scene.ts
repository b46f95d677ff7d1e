import { LedgerError } from '../../src/domain/errors.ts';
import { parseMarker } from '../../src/domain/marker.ts';
import type { Payload } from '../../src/domain/payload.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import type { Duration, Instant } from '../../src/domain/time.ts';
import { Refusal } from '../../src/daemon/api.ts';
import type { Daemon } from '../../src/daemon/api.ts';
import type { MemoryVault } from '../../src/vaults/memory.ts';
import { latest } from '../fakes/memory-issuer-history.ts';
import type { Installation } from './installation.ts';
import type { SimProcess } from './machine.ts';
import type { SimConfig } from './sim-config.ts';
import type { SimWorld } from './sim-world.ts';
import type { CallLabel, Fault } from './weather.ts';

/** The credential of every scenario. */
export const CLIENT = 'c0';
/** The secret that somebody made by hand before anything begins. */
export const FIRST = '1';

/** A secret as it came and went; times are counted from the start of the scenario. */
export interface Biography {
  readonly secretId: string;
  /** Null: made by hand. */
  readonly generation: number | null;
  readonly born: Duration;
  readonly ends: Duration | null;
  readonly deleted: Duration | null;
  /** Until when any place served it; null: never. */
  readonly served: Duration | null;
}

/** A place began to serve another secret. */
export interface Change {
  readonly at: Duration;
  readonly vault: string;
  readonly secretId: string | null;
  readonly by: 'daemon' | 'hand';
}

/** What a scenario's script lets happen, and what its test asks of it afterwards. */
export class Scene {
  readonly world: SimWorld;
  /** What the entries of {@link CLIENT} served, one after the other. */
  readonly changes: Change[] = [];
  #waiting: Waiting<(process: SimProcess) => void>[] = [];
  #faults: Waiting<Fault>[] = [];

  constructor(world: SimWorld) {
    this.world = world;
    world.watch({
      placeChanged: (vault, _entry, by) => {
        const secretId = world.truth.serving.get(`${vault}/${CLIENT}`)?.secretId ?? null;
        if (this.served(vault).at(-1)?.secretId !== secretId) this.changes.push({ at: this.now, vault, secretId, by });
      },
    });
    world.onCall = (process, { text }) => {
      const met = meet(this.#waiting, text);
      this.#waiting = this.#waiting.filter((each) => each.left > 0);
      for (const act of met) act(process);
    };
  }

  /** How long the scenario goes on already. */
  get now(): Duration {
    return this.world.time.now - this.world.plan.start;
  }

  at(when: Duration, act: () => void): void {
    this.world.time.at(this.world.plan.start + when, act);
  }

  /** As the n-th call leaves that fits (`d0 vault.deliver c0`): the first one by default. */
  upon(call: RegExp, act: (process: SimProcess) => void, nth = 1): void {
    this.#waiting.push({ call, then: act, left: nth });
  }

  /** The n-th call that fits meets a fault. */
  force(call: RegExp, fault: Fault, nth = 1): void {
    this.#faults.push({ call, then: fault, left: nth });
  }

  /** For the weather: what a call is forced to meet. */
  meets({ text }: CallLabel): Fault | null {
    const [fault = null] = meet(this.#faults, text);
    this.#faults = this.#faults.filter((each) => each.left > 0);
    return fault;
  }

  // What people and bad luck do.

  /** Nothing is left of a disk; whoever lives on it starts anew. */
  loseLedger(disk = 0): void {
    this.world.note('ledger lost');
    this.world.truth.forgetPutRight();
    this.#outOfOrder('the ledger is lost', DAY);
    for (const each of this.world.installations) if (each.disk === this.world.disks[disk]) each.crash(MINUTE);
    this.world.disks[disk]?.lose();
  }

  /** Another configuration, from the restart that follows at once. */
  configure(what: string, edit: (config: SimConfig) => SimConfig): void {
    this.world.configure(edit(this.world.config));
    this.#outOfOrder(`configure: ${what}`, HOUR);
    for (const each of this.world.installations) each.restart(MINUTE);
  }

  /** A vault does not answer for so long. */
  down(vault: string, duration: Duration): void {
    this.#outOfOrder(`vault ${vault} is down`, duration + 6 * HOUR);
    const lift = this.vault(vault).goDown();
    this.world.time.after(duration, lift);
  }

  /** Nothing that `process` waits for reaches it for so long. */
  freeze(process: SimProcess, duration: Duration): void {
    this.#outOfOrder(`${process.id} freezes`, duration + HOUR);
    process.freeze();
    this.world.time.after(duration, () => process.thaw());
  }

  /** Writes a secret's value to an entry, without a mark. */
  putByHand(vault: string, secretId: string): void {
    this.byHand(vault, `secret ${secretId} is put there by hand`, (found) =>
      found.putForeign(CLIENT, this.payload(secretId)),
    );
  }

  byHand(vault: string, what: string, act: (vault: MemoryVault) => void): void {
    this.world.disturb(this.world.time.now, this.world.time.now + 6 * HOUR);
    this.world.byHand(vault, CLIENT, what, act);
  }

  deleteByHand(secretId: string): void {
    this.world.disturb(this.world.time.now, this.world.time.now + 6 * HOUR);
    this.world.removeSecretByHand(CLIENT, secretId);
  }

  /** A person asks a daemon for something. */
  ask(what: string, request: (daemon: Daemon) => Promise<unknown>, installation = 0): void {
    const { daemon } = this.installation(installation);
    if (daemon === null) throw new Error(`${what}: nothing runs there`);
    this.world.tell('people', what, null);
    request(daemon).catch((error: unknown) => {
      if (!(error instanceof Refusal || error instanceof LedgerError)) throw error;
      this.world.tell('people', `${what}: ${error.message}`, null);
    });
  }

  installation(index: number): Installation {
    const found = this.world.installations[index];
    if (found === undefined) throw new Error(`there is no installation ${index}`);
    return found;
  }

  vault(name: string): MemoryVault {
    const found = this.world.vaults.get(name);
    if (found === undefined) throw new Error(`there is no vault ${name}`);
    return found;
  }

  /** As a rule's default format has it. */
  payload(secretId: string): Payload {
    const clientSecret = this.world.issuer.valueOf(CLIENT, secretId);
    if (clientSecret === null) throw new Error(`there is no secret ${secretId}`);
    const expires = this.world.truth.expiryOf(CLIENT, secretId);
    const fields = { clientId: CLIENT, clientSecret, secretId, expires: rfc3339(expires) };
    return { form: 'fields', content: SecretValue.of(JSON.stringify(fields)) };
  }

  // What happened.

  /** Every secret that there ever was, in the order of their making. */
  secrets(): Biography[] {
    const { world } = this;
    const since = (at: Instant | null): Duration | null => (at === null ? null : at - world.plan.start);
    return [...world.issuer.every(CLIENT)].map(({ secretId, createdAt, deletedAt, versions }) => {
      const { expires } = latest(versions);
      const marker = versions.map((each) => parseMarker(each.description)).find((each) => each !== null);
      return {
        secretId,
        generation: marker?.generation ?? null,
        born: createdAt - world.plan.start,
        ends: since(expires),
        deleted: since(deletedAt),
        served: since(world.truth.lastServed(CLIENT, secretId)),
      };
    });
  }

  /** Those that a daemon made. */
  made(): Biography[] {
    return this.secrets().filter(({ generation }) => generation !== null);
  }

  secret(secretId: string): Biography {
    const found = this.secrets().find((each) => each.secretId === secretId);
    if (found === undefined) throw new Error(`there is no secret ${secretId}`);
    return found;
  }

  /** What a vault's entry served, one after the other. */
  served(vault: string): Change[] {
    return this.changes.filter((each) => each.vault === vault);
  }

  /** When a vault's entry began to serve a secret. */
  servedFrom(vault: string, secretId: string): Duration {
    const found = this.served(vault).find((each) => each.secretId === secretId);
    if (found === undefined) throw new Error(`vault ${vault} never served secret ${secretId}`);
    return found.at;
  }

  /** When a line was logged, or something told. */
  told(what: string): Duration[] {
    return this.world.timeline.filter((each) => each.what === what).map((each) => each.at - this.world.plan.start);
  }

  #outOfOrder(what: string, duration: Duration): void {
    const { time } = this.world;
    this.world.tell('world', what, null);
    this.world.disturb(time.now, time.now + duration);
  }
}

interface Waiting<T> {
  readonly call: RegExp;
  readonly then: T;
  left: number;
}

/** Counts a call; @returns what waited for this very one. */
function meet<T>(waiting: readonly Waiting<T>[], text: string): T[] {
  return waiting.flatMap((each) => {
    if (!each.call.test(text)) return [];
    each.left -= 1;
    return each.left === 0 ? [each.then] : [];
  });
}

function rfc3339(at: Instant | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
