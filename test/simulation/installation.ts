import type { Settings } from '../../src/config/settings.ts';
import type { Daemon } from '../../src/daemon/api.ts';
import { createDaemon } from '../../src/daemon/daemon.ts';
import { LedgerError, safeMessage } from '../../src/domain/errors.ts';
import { MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Duration } from '../../src/domain/time.ts';
import type { World } from '../../src/rotation/world.ts';
import type { Log, LogFields } from '../../src/telemetry/log.ts';
import { silentMeter } from '../../src/telemetry/meter.ts';
import { createEvents } from '../../src/telemetry/telling.ts';
import { guardVault } from '../../src/vaults/guarded.ts';
import { memoryVaultType } from '../../src/vaults/memory.ts';
import type { MemoryVault } from '../../src/vaults/memory.ts';
import type { Disk } from './disk.ts';
import { SimProcess } from './machine.ts';
import type { Machine } from './machine.ts';
import { asOwnClient } from './own-client.ts';
import { issuerFor, vaultFor } from './services.ts';
import type { Witness } from './services.ts';
import type { SimIssuer } from './sim-issuer.ts';
import type { Network } from './wire.ts';

/** What an installation is put into. */
export interface Site {
  readonly network: Network;
  readonly issuer: SimIssuer;
  readonly vaults: ReadonlyMap<string, MemoryVault>;
  readonly witness: Witness;
  /** Where the secret is kept that rekeyd lives on; null: it lives on none of these. */
  readonly ownVault: MemoryVault | null;
  readonly seed: number;
  settings(): Settings;
  logged(process: SimProcess, level: string, event: string, message: string, fields: LogFields): void;
}

/** One daemon's place: a machine, a disk, and whatever runs there now. It is the shipped daemon, on replaced ports. */
export class Installation {
  readonly machine: Machine;
  readonly disk: Disk;
  readonly #site: Site;
  #runs = 0;
  process: SimProcess | null = null;
  daemon: Daemon | null = null;
  /** What the running process was configured with. */
  settings: Settings | null = null;
  /** What it took over while it ran. */
  #incoming: Settings | null = null;
  #world: World | null = null;
  /** Nothing starts while it is set: a machine that is down. */
  isDown = false;

  constructor(machine: Machine, disk: Disk, site: Site) {
    this.machine = machine;
    this.disk = disk;
    this.#site = site;
  }

  get isRunning(): boolean {
    return this.process?.isOver === false;
  }

  start(): void {
    if (this.isRunning || this.isDown) return;
    const { network, seed } = this.#site;
    const process = new SimProcess(this.machine, (this.#runs += 1), seed);
    const settings = this.#site.settings();
    this.process = process;
    this.settings = settings;
    this.#incoming = null;
    this.#world = { ...this.#staff(process, settings), ledger: this.disk.open(process), processId: process.id };
    this.daemon = createDaemon(this.#world, { version: 'simulated' });
    network.trace.add(network.time.now, `${process.machine.name} starts`);
    this.daemon.start().catch((error: unknown) => {
      if (!(error instanceof LedgerError)) throw error;
      this.#site.logged(process, 'error', 'start-failed', safeMessage(error), {});
      process.end(); // as the process does: it ends with 1, and whoever keeps it running starts it again
      network.time.after(5 * MINUTE, () => this.start());
    });
  }

  /** SIGHUP: the configuration that is in force now is taken over without a restart. Where nothing runs, the next start has it. */
  async reload(): Promise<void> {
    const { process, daemon } = this;
    if (process === null || daemon === null || this.#world === null || process.isOver) return;
    const settings = this.#site.settings();
    const world = { ...this.#world, ...this.#staff(process, settings) };
    this.#site.network.trace.add(this.#site.network.time.now, `${process.machine.name} reloads`);
    try {
      this.daemon = await daemon.handOver(world);
      this.#world = world;
      this.#incoming = settings;
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      this.#site.logged(process, 'error', 'reload-failed', safeMessage(error), {});
      // as src/compose/reloader.ts does
      this.#site.network.time.after(MINUTE, () => void this.reload());
      return;
    }
    // what was begun before is brought to rest under its old terms
    await daemon.rest();
    if (this.process === process) this.settings = settings;
  }

  /** What its process works under: while what was begun is brought to rest after a reload, its old terms, too. */
  get inForce(): readonly Settings[] {
    return [this.settings, this.#incoming].filter((each) => each !== null);
  }

  /** SIGKILL; it runs again after `pause`. */
  crash(pause: Duration): void {
    if (this.process === null || this.process.isOver) return;
    this.process.end();
    this.#site.network.time.after(pause, () => this.start());
  }

  /** SIGTERM, and again after `pause`. `between` is done while nothing runs. */
  restart(pause: Duration, between: () => void = () => undefined): void {
    const { process, daemon } = this;
    const again = (): void => {
      process?.end();
      between();
      this.#site.network.time.after(Math.max(SECOND, pause), () => this.start());
    };
    if (process === null || daemon === null || process.isOver) {
      again();
      return;
    }
    let ended = false;
    const once = (): void => {
      if (ended) return;
      ended = true;
      again();
    };
    void daemon.stop().then(once);
    // whoever keeps it running does not wait for ever
    this.#site.network.time.after(MINUTE, once);
  }

  /** All that a daemon works with, but for its ledger. */
  #staff(process: SimProcess, settings: Settings): Omit<World, 'ledger' | 'processId'> {
    const { network, issuer, vaults, witness, ownVault } = this.#site;
    const reached = issuerFor(network, process, issuer, witness);
    const ports = { clock: process.clock, random: process.random, ids: process.ids, ticker: process.ticker };
    return {
      ...ports,
      settings,
      issuers: new Map([['data8', ownVault === null ? reached : asOwnClient(reached, issuer, ownVault, network.time)]]),
      vaults: new Map(
        [...settings.vaults].flatMap(([name, { timeout, requestsPerSecond }]) => {
          const vault = vaults.get(name);
          if (vault === undefined) return [];
          const wired = vaultFor(network, process, vault, witness);
          return [[name, guardVault(wired, { timeout, requestsPerSecond, ports, meter: silentMeter })]];
        }),
      ),
      vaultTypes: new Map([['memory', memoryVaultType]]),
      log: this.#log(process, {}),
      events: createEvents({ log: this.#log(process, {}), meter: silentMeter }),
      meter: silentMeter,
    };
  }

  #log(process: SimProcess, base: LogFields): Log {
    const at =
      (level: string) =>
      (event: string, message: string, fields: LogFields = {}): void => {
        this.#site.logged(process, level, event, message, { ...base, ...fields });
      };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      with: (fields) => this.#log(process, { ...base, ...fields }),
    };
  }
}
