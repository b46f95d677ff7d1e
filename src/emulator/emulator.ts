import { fastify } from 'fastify';
import type { AddressInfo } from 'node:net';
import { Account, generateValue } from './account.ts';
import { registerApi } from './api-routes.ts';
import { Bearer } from './bearer.ts';
import { Faults } from './faults.ts';
import type { FaultInput } from './faults.ts';
import { RequestLog } from './request-log.ts';
import { Stage } from './stage.ts';
import { registerTokenEndpoint } from './token-endpoint.ts';

export interface EmulatorSettings {
  /** Default: 0, any free port. */
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** The bootstrap client; what is not given is generated. */
  readonly clientId?: string | null;
  readonly clientSecret?: string | null;
  /** Life of access tokens in seconds; default: 3600. */
  readonly tokenLifetime?: number;
  /** Whether tokens of clients other than the bootstrap client may use the API; default: false, they get 403. */
  readonly anyClientAdministers?: boolean;
  readonly faults?: FaultInput;
  /** Milliseconds since the epoch; default: the real clock. */
  readonly now?: () => number;
}

/** A running emulator. */
export interface Emulator {
  /** The base URL of the API, without a slash at the end. */
  readonly url: string;
  readonly tokenUrl: string;
  /** The client that may use the API. */
  readonly bootstrap: { readonly clientId: string; readonly clientSecret: string };
  readonly faults: Faults;
  /** The state itself, for tests: reading and changing it passes by faults and checks of the API. */
  readonly account: Account;
  readonly log: RequestLog;
  /** Refuses every access token issued so far. */
  revokeTokens(): void;
  /** Stops at once: open connections are closed, late landings dropped. Safe to repeat. */
  close(): Promise<void>;
}

/**
 * Starts an emulator of the Data8 API; it listens when the promise is fulfilled.
 * @throws the system's error (`EADDRINUSE`) where the port cannot be had; ZodError for a wrong fault switch.
 */
export async function createEmulator(settings: EmulatorSettings = {}): Promise<Emulator> {
  const faults = new Faults();
  const clock = settings.now ?? Date.now;
  const now = (): number => clock() + faults.settings.clockSkew;
  const account = new Account(faults, now);
  const bearer = new Bearer();
  const log = new RequestLog();

  const credential = account.createCredential('Bootstrap client of the emulator', {
    clientId: settings.clientId ?? undefined,
    administrator: true,
  });
  const clientSecret = settings.clientSecret ?? generateValue();
  account.createSecret(
    credential.clientId,
    { description: 'Bootstrap' },
    { value: clientSecret, created: now() - 86_400_000 },
  );
  // only now: the bootstrap client is to work whatever the switches say of fresh secrets
  faults.set(settings.faults ?? {});

  const app = fastify({
    forceCloseConnections: true,
    bodyLimit: 65_536,
    routerOptions: { maxParamLength: 500 },
    // as .NET: what has the wrong type is refused, not converted; what is unknown is left aside
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  const stage = new Stage(app, faults, log, now);
  await registerApi(app, stage, account, bearer, {
    anyClientAdministers: settings.anyClientAdministers ?? false,
    now,
    changed: () => Promise.resolve(),
  });
  await registerTokenEndpoint(app, stage, account, bearer, { lifetime: settings.tokenLifetime ?? 3600, now, faults });

  await app.listen({ port: settings.port ?? 0, host: settings.host ?? '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://${urlHost(settings.host ?? '127.0.0.1')}:${port}`;

  return {
    url,
    tokenUrl: `${url}/connect/token`,
    bootstrap: { clientId: credential.clientId, clientSecret },
    faults,
    account,
    log,
    revokeTokens: () => bearer.revokeAll(),
    close: async () => {
      stage.close();
      await app.close();
    },
  };
}

/** A host that a caller on this machine can use. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
