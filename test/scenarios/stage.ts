import type { DeliverSettings, Limits, Mode, Policy, Rule, Settings } from '../../src/config/settings.ts';
import type { Daemon } from '../../src/daemon/api.ts';
import { createDaemon } from '../../src/daemon/daemon.ts';
import { DEFAULT_FORMAT } from '../../src/domain/payload.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Duration } from '../../src/domain/time.ts';
import type { IssuerTiming } from '../../src/issuers/contract.ts';
import type { Ledger } from '../../src/ledger/contract.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';
import type { World } from '../../src/rotation/world.ts';
import type { LogFields } from '../../src/telemetry/log.ts';
import { silentMeter } from '../../src/telemetry/meter.ts';
import { createEvents } from '../../src/telemetry/telling.ts';
import type { VaultCapabilities } from '../../src/vaults/contract.ts';
import { MemoryVault, memoryVaultType } from '../../src/vaults/memory.ts';
import { createManualPorts } from '../fakes/manual-ports.ts';
import type { ManualPorts } from '../fakes/manual-ports.ts';
import { MemoryIssuer } from '../fakes/memory-issuer.ts';
import type { MemoryIssuerBehaviour } from '../fakes/memory-account.ts';
import { Life, mortal } from './mortal.ts';
import { recordingLog } from './recording-log.ts';

/** What a scenario may set; the rest has the contract's defaults, but for shorter waits. */
export interface StageOptions {
  readonly policy?: Partial<Policy>;
  readonly limits?: Partial<Limits>;
  readonly timing?: Partial<IssuerTiming>;
  readonly behaviour?: Partial<MemoryIssuerBehaviour>;
  readonly mode?: Mode;
  readonly resync?: Duration;
  readonly vaults?: readonly string[];
  /** Default: one rule for all credentials, that delivers to each vault under `{clientId}`. */
  readonly rules?: (policy: Policy) => readonly Rule[];
  readonly schedule?: string;
  /** What a vault cannot do, by its name; default: it can do all. */
  readonly capabilities?: Readonly<Record<string, Partial<Pick<VaultCapabilities, 'compareAndSet' | 'readable'>>>>;
}

export const DEFAULT_POLICY: Policy = {
  name: 'default',
  lifetime: 90 * DAY,
  renewBefore: 30 * DAY,
  grace: 14 * DAY,
  maxAge: null,
  provisional: DAY,
  verify: { method: 'token', timeout: 20 * MINUTE, settle: 15 * MINUTE },
  initial: 'adopt',
  retire: 'delete',
  unmanaged: 'keep',
  windows: null,
};

/** A whole installation in memory under a manual clock: the shipped daemon, an issuer, vaults, a ledger. */
export class Stage {
  readonly ports: ManualPorts;
  readonly issuer: MemoryIssuer;
  readonly vaults: ReadonlyMap<string, MemoryVault>;
  readonly lines: { level: string; event: string; fields: LogFields }[] = [];
  ledger: MemoryLedger = new MemoryLedger();
  settings: Settings;
  /** Hears of each call of the next daemons to issuer, vaults and ledger before it leaves. */
  onCall: ((call: number, name: string) => void) | null = null;
  #life = new Life();
  #daemon: Daemon | null = null;
  #world: World | null = null;
  #starts = 0;
  #kill: { call: number; side: 'before' | 'after' } | null = null;

  constructor(options: StageOptions = {}) {
    this.ports = createManualPorts();
    const { timing = {}, behaviour = {} } = options;
    this.issuer = new MemoryIssuer(this.ports, { timing, behaviour });
    const names = options.vaults ?? ['a', 'b'];
    this.vaults = new Map(
      names.map((name) => {
        const context = { ...this.ports, name, readBack: 10 * SECOND };
        return [name, new MemoryVault(context, options.capabilities?.[name])];
      }),
    );
    this.settings = settingsOf(options, names);
  }

  /** Kills the next daemon at its n-th call to issuer, vaults or ledger. */
  killAt(call: number, side: 'before' | 'after'): void {
    this.#kill = { call, side };
  }

  get callCount(): number {
    return this.#life.calls;
  }

  get killedIn(): string {
    return this.#life.killedIn;
  }

  get clock() {
    return this.ports.clock;
  }

  get daemon(): Daemon {
    if (this.#daemon === null) throw new Error('the daemon was not started');
    return this.#daemon;
  }

  vault(name: string): MemoryVault {
    const vault = this.vaults.get(name);
    if (vault === undefined) throw new Error(`no vault ${name} on this stage`);
    return vault;
  }

  /** A daemon of its own over this world: a second replica, where `ledger` is another. It is not started. */
  open(ledger: Ledger = this.ledger, life: Life = new Life()): Daemon {
    return createDaemon(this.#worldFor(ledger, life), { version: 'test' });
  }

  #worldFor(ledger: Ledger, life: Life): World {
    this.#starts += 1;
    const { ports } = this;
    return {
      clock: ports.clock,
      random: ports.random,
      ids: ports.ids,
      ticker: mortal(ports.ticker, life),
      settings: this.settings,
      issuers: new Map([['data8', mortal(this.issuer, life, 'issuer')]]),
      vaults: new Map([...this.vaults].map(([name, vault]) => [name, mortal(vault, life, name)])),
      vaultTypes: new Map([['memory', memoryVaultType]]),
      ledger: mortal(ledger, life, 'ledger'),
      log: recordingLog(this.lines),
      events: createEvents({ log: recordingLog(this.lines), meter: silentMeter }),
      meter: silentMeter,
      processId: `process-${this.#starts}`,
    };
  }

  /**
   * Other settings without a restart, in one step after those awaits that opening takes. @returns the daemon that hands
   * over; null where the process was killed meanwhile.
   */
  async reload(change: Partial<Settings>): Promise<Daemon | null> {
    const before = this.#daemon;
    if (this.#world === null || before === null) return null;
    this.settings = { ...this.settings, ...change };
    this.#world = { ...this.#world, settings: this.settings };
    const handed = before.handOver(this.#world);
    handed.catch(() => undefined); // told below
    await this.clock.settle(8);
    if (this.#life.over) return null;
    this.#daemon = await handed;
    return before;
  }

  /** Starts the daemon, and lets its first scan run as far as it gets without time passing. */
  async start(): Promise<Daemon> {
    this.#life = new Life();
    this.#life.onCall = (call, name) => this.onCall?.(call, name);
    if (this.#kill !== null) this.#life.killAt(this.#kill.call, this.#kill.side);
    this.#kill = null;
    this.#world = this.#worldFor(this.ledger, this.#life);
    this.#daemon = createDaemon(this.#world, { version: 'test' });
    // everything is in memory: no time passes; a daemon that is killed while it starts never says so
    const started = this.#daemon.start();
    await this.clock.settle(8);
    if (!this.#life.over) await started;
    return this.#daemon;
  }

  /** SIGKILL: nothing that the daemon waits for ever answers it; calls that are under way may still land. */
  crash(): void {
    this.#life.end();
    this.#daemon = null;
  }

  /** SIGTERM. */
  async stop(): Promise<void> {
    await this.clock.until(this.daemon.stop());
    this.#life.end();
    this.#daemon = null;
  }

  /** Moves time on in steps, so that scans and everything between them happens. */
  async pass(duration: Duration, step: Duration = 15 * MINUTE): Promise<void> {
    for (let left = duration; left > 0; left -= step) {
      await this.clock.advance(Math.min(step, left));
      await this.clock.settle(8);
    }
  }

  /** What a vault's consumer would use: the client secret at an entry, or null. */
  async servedValue(vault: string, entry: string): Promise<string | null> {
    const content = await this.vault(vault).read({ entry, options: {} });
    if (content.state === 'absent' || content.payload === null) return null;
    return (JSON.parse(content.payload.content.reveal()) as { clientSecret: string }).clientSecret;
  }

  /** Whether every vault's entry of a credential holds a value that the issuer accepts now. */
  async allServedAlive(clientId: string): Promise<boolean> {
    for (const name of this.vaults.keys()) {
      const value = await this.servedValue(name, clientId);
      if (value === null || !this.issuer.isAccepted(clientId, value)) return false;
    }
    return true;
  }

  events(event: string) {
    return this.lines.filter((line) => line.event === event);
  }

  async view(clientId: string) {
    const view = await this.daemon.credential({ issuer: 'data8', clientId });
    if (view === null) throw new Error(`the daemon does not know ${clientId}`);
    return view;
  }

  async rotations(clientId: string) {
    return (await this.daemon.rotations({ issuer: 'data8', clientId }, 100, null)).items;
  }
}

/** A rule for credentials by glob, that delivers to each vault under the clientId. */
export function ruleFor(policy: Policy, vaults: readonly string[], clientId = '*', more: Partial<Rule> = {}): Rule {
  const deliver = vaults.map((vault): DeliverSettings => ({
    vault,
    name: '{clientId}',
    format: DEFAULT_FORMAT,
    options: {},
  }));
  return {
    issuer: 'data8',
    match: { clientId: [clientId], description: null },
    ignore: false,
    suspend: false,
    name: '{clientId}',
    policy,
    deliver,
    ...more,
  };
}

function settingsOf(options: StageOptions, vaults: readonly string[]): Settings {
  const policy = { ...DEFAULT_POLICY, ...options.policy };
  const limits = { concurrency: 8, rotationsPerHour: 60, maxLiveSecrets: 5, createsPerDay: 4 };
  return {
    instance: 'test',
    mode: options.mode ?? 'active',
    schedule: options.schedule ?? '*/15 * * * *',
    timezone: 'UTC',
    resync: options.resync ?? HOUR,
    shutdownTimeout: 30 * SECOND,
    ledger: { type: 'memory', options: {} },
    http: { host: '127.0.0.1', port: 0, requestsPerSecond: 100_000, socket: null, tokens: [] },
    metrics: { perCredential: 'auto' },
    webhooks: [],
    limits: { ...limits, breaker: { failures: 5, cooldown: 15 * MINUTE }, ...options.limits },
    issuers: new Map([['data8', { type: 'data8', options: {} }]]),
    vaults: new Map(
      vaults.map((name) => [
        name,
        { type: 'memory', options: {}, timeout: 30 * SECOND, requestsPerSecond: 1000, readBack: 10 * SECOND },
      ]),
    ),
    rules: options.rules?.(policy) ?? [ruleFor(policy, vaults)],
  };
}
