import { readFile } from 'node:fs/promises';
import type { Workshop } from '../cli/workshop.ts';
import { readIssuerSection } from '../config/load.ts';
import { createMatcher } from '../config/match.ts';
import type { Settings } from '../config/settings.ts';
import { loadWayIn } from '../config/way-in.ts';
import type { Ports } from '../domain/ports.ts';
import type { Log } from '../telemetry/log.ts';
import { silentMeter } from '../telemetry/meter.ts';
import { vaultTypes } from '../vaults/registry.ts';
import { ConfigFiles } from './config-files.ts';
import type { FileStates } from './config-files.ts';
import { backends, openData8, openIssuer, openVault } from './backends.ts';
import { logFor } from './logging.ts';
import type { LogStream } from './logging.ts';
import { Releasers } from './releasers.ts';
import { keepHeapSmall } from './small-heap.ts';
import { onStopSignal } from './stop-signals.ts';

/** The process, as the composition root sees it. */
export interface ProcessParts {
  readonly version: string;
  readonly ports: Ports;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: LogStream;
  readonly stderr: LogStream;
  /** Told of the log that a crash is to be told in. */
  readonly logTo: (log: Log) => void;
}

/** Where settings came from. */
interface Origin {
  readonly names: readonly string[];
  readonly files: ConfigFiles;
  readonly seen: FileStates;
}

/**
 * What the commands are made with, over the real world. The daemon, HTTP and the emulator are loaded only by the commands
 * that need them: `rekeyd status` is to start quickly.
 * @throws ConfigError for a log level or format that does not exist.
 */
export function createWorkshop({ version, ports, env, stdout, stderr, logTo }: ProcessParts): Workshop {
  // Messages for the person at the command line, not lines for a collector.
  const quiet = logFor(stderr, env, ports.clock, { level: 'warn', format: 'pretty' });
  logTo(quiet);
  // where settings came from, so that a secret that was changed in its file is taken up without a restart
  const origins = new WeakMap<Settings, Origin>();
  const sources = { readFile, env, backends };
  const reread = (settings: Settings, issuer: string) =>
    readIssuerSection(origins.get(settings)?.names ?? [], issuer, sources);
  const around = { ports, log: quiet, meter: silentMeter, reread };
  return {
    version,
    ports,
    log: quiet,
    loadSettings: async (names) => {
      const files = new ConfigFiles(names, { env, backends });
      const loaded = await files.load();
      if ('error' in loaded) throw loaded.error;
      origins.set(loaded.settings, { names, files, seen: loaded.seen });
      return loaded.settings;
    },
    loadWayIn: (names) => loadWayIn(names, sources),
    openIssuer: (settings, name) => Promise.resolve().then(() => openIssuer(settings, name, around)),
    openVault: (settings, name) => openVault(settings, name, around, true),
    vaultTypes,
    matcher: (settings) => createMatcher(settings, vaultTypes),
    openData8: (settings, name) =>
      Promise.resolve().then(() => {
        const api = openData8(settings, name, around);
        return {
          api,
          close: () => {
            api.close();
            return Promise.resolve();
          },
        };
      }),
    openDaemon: async (settings, { readOnly }) => {
      const { assemble } = await import('./assemble.ts');
      // A one-shot job has no other voice than its log: it goes to stderr, stdout is for the result.
      const log = readOnly ? quiet : logFor(stderr, env, ports.clock);
      const releasers = new Releasers(log);
      try {
        const { daemon, world } = await assemble(settings, { ...around, log }, releasers, { version, readOnly });
        if (!readOnly) {
          await world.ledger.check();
          keepHeapSmall();
        }
        return { daemon, close: () => releasers.close() };
      } catch (error) {
        await releasers.close();
        throw error;
      }
    },
    onStop: (stop) => onStopSignal(stop, (message) => stderr.write(`${message}\n`)),
    run: async (settings) => {
      const log = logFor(stdout, env, ports.clock);
      logTo(log);
      const { runDaemon } = await import('./run.ts');
      const source = origins.get(settings);
      if (source === undefined) return runDaemon({ settings, ports, log, version });
      // from the same files, whichever settings came from them last
      const rereadHere = (_settings: Settings, issuer: string) => readIssuerSection(source.names, issuer, sources);
      return runDaemon({ settings, ports, log, version, source, reread: rereadHere });
    },
    emulator: async ({ credentials, ...options }) => {
      const { runEmulator } = await import('../emulator/program.ts');
      const groups = credentials.map((description) => ({ credentials: 1, description }));
      return runEmulator({ ...options, seed: { groups } }, { stdout, stderr });
    },
    demo: async () => {
      const { runDemo } = await import('./demo.ts');
      return runDemo({ ports, env, stdout, version, logTo });
    },
  };
}
