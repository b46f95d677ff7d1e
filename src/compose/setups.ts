import type { Daemon, DaemonApi } from '../daemon/api.ts';
import type { World } from '../rotation/world.ts';
import { closeUnused } from './opened.ts';

/** A daemon, and the world that it works in. */
export interface Setup {
  readonly world: World;
  readonly daemon: Daemon;
}

/**
 * The daemon whose terms hold, and those before it that still bring to rest what they began. A vault or an issuer is closed
 * once none of them has it.
 */
export class Setups {
  #current: Setup;
  readonly #leaving = new Set<Setup>();
  #isStopped = false;

  constructor(first: Setup) {
    this.#current = first;
  }

  get current(): Setup {
    return this.#current;
  }

  /** How many daemons still bring to rest what they began under other settings. */
  get leaving(): number {
    return this.#leaving.size;
  }

  /** What HTTP asks: whichever daemon's terms hold in that moment. */
  asDaemon(): DaemonApi {
    return new Proxy({} as DaemonApi, {
      get: (_target, name): unknown => Reflect.get(this.#current.daemon, name),
    });
  }

  /** Has another daemon take over, in one step. @throws LedgerError: then nothing has changed. */
  async replaceBy(world: World): Promise<void> {
    const before = this.#current;
    const daemon = await before.daemon.handOver(world);
    this.#current = { world, daemon };
    this.#leaving.add(before);
    if (this.#isStopped) await daemon.stop();
    void before.daemon.rest().then(() => this.#retire(before));
  }

  async #retire(setup: Setup): Promise<void> {
    if (!this.#leaving.delete(setup)) return;
    const { log } = setup.world;
    const inUse = [this.#current, ...this.#leaving].map(({ world }) => world);
    await closeUnused(setup.world, inUse, log);
    log.debug('old-terms-over', 'Nothing is under way any more under the settings before');
  }

  /** Stops all of them. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([this.#current, ...this.#leaving].map(({ daemon }) => daemon.stop()));
  }

  /** Closes what they have, once they are stopped. It does not throw. */
  async close(): Promise<void> {
    const left = [this.#current, ...this.#leaving].map(({ world }) => world);
    this.#leaving.clear();
    for (let last = left.pop(); last !== undefined; last = left.pop()) await closeUnused(last, left, last.log);
  }
}
