import { realPorts } from '../../../src/compose/ports.ts';
import type { Io } from '../../../src/cli/io.ts';
import { runProgram } from '../../../src/cli/program.ts';
import type { Data8Operations, EmulatorOptions, Workshop } from '../../../src/cli/workshop.ts';
import type { Settings } from '../../../src/config/settings.ts';
import type { Terms } from '../../../src/config/terms.ts';
import type { WayIn } from '../../../src/config/way-in.ts';
import type { Daemon } from '../../../src/daemon/api.ts';
import type { Ports } from '../../../src/domain/ports.ts';
import type { Issuer } from '../../../src/issuers/contract.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import type { Vault, VaultType } from '../../../src/vaults/contract.ts';
import { vaultTypes } from '../../../src/vaults/registry.ts';

/** Noon of the day on which the tests of the command line play. */
export const NOON = Date.parse('2026-03-01T12:00:00.000Z');

/** Ports whose clock stands, and whose sleeps pass at once and move the clock. */
export function standingPorts(): Ports {
  let passed = 0;
  return {
    ...realPorts,
    clock: { now: () => NOON + passed, monotonic: () => passed },
    ticker: {
      sleep: async (duration) => {
        passed += duration;
        await new Promise((resolve) => setImmediate(resolve));
      },
      schedule: () => ({ next: () => null, stop: () => undefined }),
    },
  };
}

export function settingsFor(changes: Partial<Settings> = {}): Settings {
  return {
    instance: 'test',
    mode: 'active',
    schedule: '*/15 * * * *',
    timezone: 'UTC',
    resync: 3_600_000,
    shutdownTimeout: 30_000,
    ledger: { type: 'memory', options: {} },
    http: { host: '127.0.0.1', port: 0, requestsPerSecond: 100_000, socket: null, tokens: [] },
    metrics: { perCredential: 'auto' },
    webhooks: [],
    limits: {
      concurrency: 8,
      rotationsPerHour: 60,
      maxLiveSecrets: 5,
      createsPerDay: 4,
      breaker: { failures: 5, cooldown: 900_000 },
    },
    issuers: new Map([['data8', { type: 'data8', options: {} }]]),
    vaults: new Map(),
    rules: [],
    ...changes,
  };
}

export interface Given {
  readonly settings?: Settings | (() => Settings);
  /** Why the configuration can be used for nothing but the way to the daemon. */
  readonly unusable?: WayIn['unusable'];
  readonly daemon?: Partial<Daemon>;
  readonly issuers?: Readonly<Record<string, Partial<Issuer>>>;
  readonly vaults?: Readonly<Record<string, { vault: Partial<Vault>; type: Partial<VaultType> }>>;
  readonly data8?: Partial<Data8Operations>;
  readonly terms?: (issuer: string, clientId: string) => Terms;
  readonly terminal?: boolean;
  /** Who sits at the terminal. */
  readonly ask?: Io['ask'];
  /** Told how to stop what waits, as a signal would. */
  readonly onStop?: (stop: () => Promise<void>) => void;
  readonly env?: Readonly<Record<string, string>>;
  readonly ports?: Ports;
  readonly run?: number;
  /** Nothing that is printed to stdout gets there. */
  readonly unwritten?: true;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly loaded: readonly (readonly string[])[];
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  readonly emulators: readonly EmulatorOptions[];
}

/** Runs a command line over fakes. A call that nothing was given for fails the test by throwing. */
export async function cli(args: readonly string[], given: Given = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const loaded: (readonly string[])[] = [];
  const opened: string[] = [];
  const closed: string[] = [];
  const emulators: EmulatorOptions[] = [];
  const load = (files: readonly string[]): Settings => {
    loaded.push(files);
    return typeof given.settings === 'function' ? given.settings() : (given.settings ?? settingsFor());
  };
  const open = <T>(what: string, value: T | undefined): T => {
    if (value === undefined) throw new Error(`nothing given for ${what}`);
    opened.push(what);
    return value;
  };
  const closing = (what: string) => async () => {
    closed.push(what);
  };
  const workshop: Workshop = {
    version: '9.8.7',
    ports: given.ports ?? standingPorts(),
    log: silentLog,
    loadSettings: async (files) => load(files),
    loadWayIn: async (files) => {
      const { socket, host, port } = load(files).http;
      return { ...(socket === null ? { socket, host, port } : { socket }), unusable: given.unusable ?? null };
    },
    openIssuer: async (_, name) =>
      ({ name, ...open(`issuer ${name}`, given.issuers?.[name]), close: closing(`issuer ${name}`) }) as Issuer,
    openVault: async (_, name) => {
      const { vault, type } = open(`vault ${name}`, given.vaults?.[name]);
      return {
        vault: { name, ...vault, close: closing(`vault ${name}`) } as Vault,
        type: { entryOf: (entry: string) => entry, nameProblem: () => null, ...type } as VaultType,
      };
    },
    vaultTypes,
    matcher: () => (issuer, credential) => given.terms?.(issuer, credential.clientId) ?? { kind: 'unmanaged' },
    openData8: async (_, name) => ({
      api: open(`data8 ${name}`, given.data8) as Data8Operations,
      close: closing(`data8 ${name}`),
    }),
    openDaemon: async (_, { readOnly }) => {
      const what = readOnly ? 'daemon read-only' : 'daemon';
      return { daemon: open(what, given.daemon) as Daemon, close: closing(what) };
    },
    onStop: (stop) => {
      given.onStop?.(stop);
      return () => undefined;
    },
    run: async () => given.run ?? 0,
    emulator: async (options) => {
      emulators.push(options);
      return 0;
    },
    demo: async () => 0,
  };
  const io: Io = {
    out: (text) => (out += text),
    written: async () => given.unwritten !== true || out === '',
    err: (text) => (err += text),
    outIsTerminal: given.terminal ?? false,
    errIsTerminal: given.terminal ?? false,
    ask: given.ask ?? null,
    env: given.env ?? {},
  };
  const code = await runProgram(args, workshop, io);
  return { code, out, err, loaded, opened, closed, emulators };
}
