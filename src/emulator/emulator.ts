import { fastify } from 'fastify';
import type { AddressInfo } from 'node:net';
import { Account } from './account.ts';
import { registerApi } from './api-routes.ts';
import { Bearer } from './bearer.ts';
import { bootstrap } from './bootstrap.ts';
import type { BootstrapClient } from './bootstrap.ts';
import { DataFile } from './data-file.ts';
import { registerFaultRoutes } from './fault-routes.ts';
import { Faults } from './faults.ts';
import type { FaultInput } from './faults.ts';
import { RequestLog } from './request-log.ts';
import { plant } from './seed.ts';
import type { Seed } from './seed.ts';
import { Stage } from './stage.ts';
import { registerTokenEndpoint } from './token-endpoint.ts';

export interface EmulatorSettings {
  /** Default: 0, any free port. */
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** A JSON file that the account is loaded from and kept in at each change; default: in memory only. */
  readonly data?: string;
  /** The bootstrap client; what is not given is generated. */
  readonly clientId?: string | null;
  readonly clientSecret?: string | null;
  /** Credentials to begin with, where the data file holds nothing yet. */
  readonly seed?: Seed;
  /** Life of access tokens in seconds; default: 3600. */
  readonly tokenLifetime?: number;
  /** Whether tokens of clients other than the bootstrap client may use the API; default: false, they get 403. */
  readonly anyClientAdministers?: boolean;
  readonly faults?: FaultInput;
  /** Opens the routes of fault-routes.ts, without any authentication; default: false. */
  readonly faultRoutes?: boolean;
  /** Milliseconds since the epoch; default: the real clock. Delays of faults are real time all the same. */
  readonly now?: () => number;
  /** Told of what made an answer a 500; default: nobody. */
  readonly report?: (message: string) => void;
}

/** A running emulator. */
export interface Emulator {
  /** The base URL of the API, without a slash at the end. */
  readonly url: string;
  readonly tokenUrl: string;
  readonly bootstrap: BootstrapClient;
  readonly faults: Faults;
  /** The state itself, for tests: changes made here pass by the API, its faults and the data file. */
  readonly account: Account;
  readonly log: RequestLog;
  /** Refuses every access token issued so far. */
  revokeTokens(): void;
  /** Stops at once: open connections are closed, late landings dropped. Safe to repeat. */
  close(): Promise<void>;
}

/**
 * Starts an emulator of the Data8 API; it listens when the promise is fulfilled.
 * @throws DataFileError where the data file cannot be used; the system's error (`EADDRINUSE`) where the port cannot be
 * had; ZodError for a wrong fault switch.
 */
export async function createEmulator(settings: EmulatorSettings = {}): Promise<Emulator> {
  const { host = '127.0.0.1', port = 0, tokenLifetime = 3600, anyClientAdministers = false } = settings;
  const faults = new Faults();
  const clock = settings.now ?? Date.now;
  const now = (): number => clock() + faults.settings.clockSkew;
  const account = new Account(faults, now);
  const bearer = new Bearer();
  const log = new RequestLog();

  const file = settings.data === undefined ? null : new DataFile(settings.data, account);
  const isNew = (await file?.load()) !== true;
  const client = bootstrap(account, now(), {
    clientId: settings.clientId ?? null,
    clientSecret: settings.clientSecret ?? null,
  });
  if (isNew && settings.seed !== undefined) plant(account, now(), settings.seed);
  await file?.save();
  // only now, so that caps and clamps do not touch what the account begins with
  faults.set(settings.faults ?? {});

  const app = fastify({
    forceCloseConnections: true,
    bodyLimit: 65_536,
    routerOptions: { maxParamLength: 500 },
    // as .NET: what has the wrong type is refused, not converted; what is unknown is left aside
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  const stage = new Stage(app, { faults, log, now, report: settings.report ?? (() => undefined) });
  const changed = async (): Promise<void> => file?.save();
  await registerApi(app, stage, account, bearer, { anyClientAdministers, now, changed });
  await registerTokenEndpoint(app, stage, account, bearer, { lifetime: tokenLifetime, now, faults });
  if (settings.faultRoutes === true) registerFaultRoutes(app, { faults, account, bearer, log, now });

  const close = async (): Promise<void> => {
    stage.close();
    await app.close();
  };
  try {
    await app.listen({ port, host });
  } catch (error) {
    await close();
    throw error;
  }
  const url = `http://${urlHost(host)}:${(app.server.address() as AddressInfo).port}`;
  return {
    url,
    tokenUrl: `${url}/connect/token`,
    bootstrap: client,
    faults,
    account,
    log,
    revokeTokens: () => bearer.revokeAll(),
    close,
  };
}

/** A host that a caller on this machine can use. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
