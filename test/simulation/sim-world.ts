import type { Settings } from '../../src/config/settings.ts';
import { HOUR, SECOND } from '../../src/domain/time.ts';
import type { Duration, Instant } from '../../src/domain/time.ts';
import type { LogFields } from '../../src/telemetry/log.ts';
import { MemoryVault } from '../../src/vaults/memory.ts';
import { Chance } from './chance.ts';
import { Disk } from './disk.ts';
import { Disturbances } from './disturbances.ts';
import { Happenings } from './happenings.ts';
import { Installation } from './installation.ts';
import type { Invariant, Witnessed } from './invariants/invariant.ts';
import { Machine } from './machine.ts';
import type { SimProcess } from './machine.ts';
import { OWN_VAULT } from './own-client.ts';
import { settingsOf, READ_BACK, TIMING } from './sim-config.ts';
import type { SimConfig } from './sim-config.ts';
import { SimIssuer } from './sim-issuer.ts';
import { Trace } from './trace.ts';
import { Truth } from './truth.ts';
import { VirtualTime } from './virtual-time.ts';
import { Weather } from './weather.ts';
import type { CallLabel, Fault } from './weather.ts';
import type { Network } from './wire.ts';
import type { Entry, Violation, WorldPlan } from './world-plan.ts';
import { witnessOf } from './world-witness.ts';

/** The simulated world: an issuer, vaults, disks, daemons, the network between them, and the people around them. */
export class SimWorld implements Network, Witnessed {
  readonly plan: WorldPlan;
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly trace = new Trace();
  readonly issuer: SimIssuer;
  readonly vaults: ReadonlyMap<string, MemoryVault>;
  readonly disks: readonly Disk[];
  readonly installations: readonly Installation[];
  readonly truth: Truth;
  readonly timeline: Entry[] = [];
  /** Keep the timeline: for people. */
  isTold = false;
  violation: Violation | null = null;
  config: SimConfig;
  readonly history: { at: Instant; settings: Settings }[] = [];
  readonly #invariants: Invariant[] = [];
  readonly #happenings = new Happenings();
  readonly #disturbances = new Disturbances();
  /** Calls so far, by machine: for crashes at a given one. */
  readonly calls = new Map<string, number>();
  onCall: ((process: SimProcess, call: CallLabel, count: number) => void) | null = null;

  constructor(plan: WorldPlan, keep: ReadonlySet<string> | null) {
    this.plan = plan;
    this.time = new VirtualTime(plan.start);
    this.chance = new Chance(plan.seed);
    const { rates, storms, calmFrom: until, forced } = plan;
    this.weather = new Weather(this.chance, { rates, storms, until, keep, forced });
    this.config = plan.config;
    const trueTime = new Machine('world', this.time, 0);
    const clock = { now: () => trueTime.now(), monotonic: () => this.time.now - this.time.start };
    const nobody = {
      sleep: () => Promise.reject(new Error('nothing in the world sleeps')),
      schedule: () => {
        throw new Error('nothing in the world is scheduled');
      },
    };
    const ports = { clock, ticker: nobody };
    this.issuer = new SimIssuer(ports, TIMING);
    this.vaults = new Map(
      plan.vaults.map(({ name, capabilities }) => [
        name,
        new MemoryVault({ ...ports, name, readBack: READ_BACK }, capabilities),
      ]),
    );
    this.truth = new Truth(this.time, this.issuer, this.vaults);
    const witness = witnessOf({
      truth: this.truth,
      invariants: this.#invariants,
      line: (who, what) => this.#line(who, what, null),
      changed: (vault, entry, sentAt) => this.#changed(vault, entry, 'daemon', sentAt),
    });
    const diskCount = 1 + Math.max(...plan.machines.map((each) => each.disk));
    this.disks = Array.from({ length: diskCount }, (_, index) => {
      const disk = new Disk(`disk${index}`, this);
      disk.onMovedBack = (what) => this.violate('S11', `${disk.name}: ${what}`);
      return disk;
    });
    this.installations = plan.machines.map(({ ahead, disk, own }, index) => {
      const machine = new Machine(`d${index}`, this.time, ahead);
      return new Installation(machine, this.disks[disk] as Disk, {
        network: this,
        issuer: this.issuer,
        vaults: this.vaults,
        witness,
        ownVault: plan.isOwnClient === true ? (this.vaults.get(OWN_VAULT) ?? null) : null,
        seed: plan.seed,
        settings: () => settingsOf(own?.(this.config) ?? this.config),
        logged: (process, level, event, message, fields) => this.#logged(process, level, event, message, fields),
      });
    });
    this.configure(plan.config);
  }

  get settings(): Settings {
    return this.history.at(-1)?.settings ?? settingsOf(this.config);
  }

  get daemonCount(): number {
    return this.installations.length;
  }

  get ledgerCount(): number {
    return this.disks.length;
  }

  watch(...invariants: readonly Invariant[]): void {
    this.#invariants.push(...invariants);
  }

  /** Puts another configuration in force. Daemons that run have it from their next start. */
  configure(config: SimConfig): void {
    this.config = config;
    this.history.push({ at: this.time.now, settings: settingsOf(config) });
  }

  /** Lets time pass, as long as everything holds. */
  async run(until: Instant): Promise<void> {
    await this.time.run(until, undefined, () => this.violation !== null);
  }

  /** Starts the hourly look at everything. */
  keepWatch(): void {
    this.time.after(HOUR, () => {
      for (const invariant of this.#invariants) invariant.hourly?.();
      this.keepWatch();
    });
  }

  async atEnd(): Promise<void> {
    for (const invariant of this.#invariants) await invariant.atEnd?.();
  }

  // What people do.

  /** Somebody changes an entry by hand, or a secret at the issuer; the truth is told. */
  byHand(vault: string, entry: string, what: string, act: (vault: MemoryVault) => void): void {
    const found = this.vaults.get(vault);
    if (found === undefined) return;
    act(found);
    this.tell('people', what, `${vault}/${entry}`);
    this.#changed(vault, entry, 'hand', this.time.now);
  }

  addSecretByHand(clientId: string, expires: Instant | null, age: Duration): { secretId: string; value: string } {
    const made = this.issuer.addSecret(clientId, { expires }, age);
    this.truth.appeared(clientId, made.secretId, 'hand');
    return { secretId: made.secretId, value: made.value.reveal() };
  }

  removeSecretByHand(clientId: string, secretId: string): void {
    this.issuer.removeSecret(clientId, secretId);
    this.truth.disappeared(clientId, secretId, 'hand');
    this.tell('people', 'deletes a secret at the issuer', `${clientId}/${secretId}`);
  }

  /** Remembers that something happened, on which assumptions rest. */
  note(what: string): void {
    this.#happenings.note(what, this.time.now);
  }

  happened(what: string): boolean {
    return this.#happenings.happened(what);
  }

  howOftenSince(what: string, since: Instant): number {
    return this.#happenings.howOftenSince(what, since);
  }

  /** Something is out of order from now, or from then, until then. */
  disturb(from: Instant, to: Instant): void {
    this.#disturbances.add(from, to);
  }

  async held(): Promise<ReadonlySet<string>> {
    const held = new Set<string>();
    for (const { ledger } of this.disks) {
      for await (const { clientId, state } of ledger.headers('data8')) {
        if (state === 'blocked' || state === 'paused') held.add(clientId);
      }
    }
    return held;
  }

  whenCalm(from: Instant): Instant {
    return this.#disturbances.whenCalm(from);
  }

  longestCalm(from: Instant, to: Instant): Duration {
    return this.#disturbances.longestCalm(from, to);
  }

  // Network and invariants.

  crash(process: SimProcess): void {
    const installation = this.installations.find((each) => each.process === process);
    if (installation === undefined || process.isOver) return;
    const drawn = this.chance.integer(
      `down ${process.machine.name}`,
      SECOND,
      this.chance.chance('long down', 0.1) ? 8 * HOUR : HOUR / 2,
    );
    const pause = this.plan.downtime ?? drawn;
    this.tell(process.id, 'is killed', null);
    this.disturb(this.time.now, this.time.now + pause + HOUR);
    installation.crash(pause);
  }

  called(process: SimProcess, call: CallLabel, fault: Fault | null): void {
    this.#line(process.id, `calls ${call.text}${fault === null ? '' : `: ${fault}`}`, null);
    const count = this.calls.get(process.machine.name) ?? 0;
    this.calls.set(process.machine.name, count + 1);
    for (const invariant of this.#invariants) invariant.called?.(process, call);
    this.onCall?.(process, call, count);
  }

  settingsOf(process: SimProcess): Settings {
    return this.#installationOf(process).settings ?? this.settings;
  }

  settingsInForce(process: SimProcess): readonly Settings[] {
    return this.#installationOf(process).inForce;
  }

  diskOf(process: SimProcess): Disk {
    return this.#installationOf(process).disk;
  }

  violate(invariant: string, what: string): void {
    if (this.violation !== null) return;
    this.violation = { invariant, what, at: this.time.now };
    this.tell('simulation', `VIOLATION of ${invariant}: ${what}`, null);
  }

  tell(who: string, what: string, about: unknown): void {
    this.trace.add(this.time.now, what);
    this.#line(who, what, about);
  }

  /** For people alone: it is no part of what happens. */
  #line(who: string, what: string, about: unknown): void {
    if (this.isTold) this.timeline.push({ at: this.time.now, who, what, about });
  }

  #installationOf(process: SimProcess): Installation {
    const found = this.installations.find((each) => each.machine === process.machine);
    if (found === undefined) throw new Error(`no installation of ${process.id}`);
    return found;
  }

  #logged(process: SimProcess, level: string, event: string, message: string, fields: LogFields): void {
    if (level !== 'debug') this.tell(process.id, event, fields);
    for (const invariant of this.#invariants) invariant.logged?.(process, event, message, fields);
  }

  #changed(vault: string, entry: string, by: 'daemon' | 'hand', sentAt: Instant): void {
    this.truth.changed(vault, entry, by);
    for (const invariant of this.#invariants) invariant.placeChanged?.(vault, entry, by, sentAt);
  }
}
