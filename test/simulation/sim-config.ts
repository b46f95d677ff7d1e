import type { Limits, Mode, Policy, Settings } from '../../src/config/settings.ts';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Duration } from '../../src/domain/time.ts';
import { ruleFor } from '../scenarios/stage.ts';

/** What the people of the simulated world have written down, and change now and then. */
export interface SimConfig {
  readonly mode: Mode;
  readonly scanHours: number;
  readonly resync: Duration;
  readonly policy: Policy;
  readonly limits: Limits;
  /** By credential: the vaults that it is delivered to. A credential that is not here is watched only. */
  readonly deliver: ReadonlyMap<string, readonly string[]>;
  readonly suspended: ReadonlySet<string>;
  /** Credentials that a rule says to ignore. */
  readonly ignored: ReadonlySet<string>;
  /** Vaults that are configured, delivered to or not. */
  readonly vaults: readonly string[];
  readonly instance: string;
}

/** The settings that the shipped loader would make of it. */
export function settingsOf(config: SimConfig): Settings {
  const { mode, scanHours, resync, policy, limits, deliver, suspended, ignored, vaults, instance } = config;
  return {
    instance,
    mode,
    schedule: `0 */${scanHours} * * *`,
    timezone: 'UTC',
    resync,
    shutdownTimeout: 30 * SECOND,
    ledger: { type: 'memory', options: {} },
    http: { host: '127.0.0.1', port: 0, requestsPerSecond: 100_000, socket: null, tokens: [] },
    metrics: { perCredential: 'auto' },
    webhooks: [],
    limits,
    issuers: new Map([['data8', { type: 'data8', options: {} }]]),
    vaults: new Map(
      vaults.map((name) => [
        name,
        { type: 'memory', options: {}, timeout: 30 * SECOND, requestsPerSecond: 1000, readBack: READ_BACK },
      ]),
    ),
    rules: [...deliver].map(([clientId, places]) =>
      ruleFor(policy, places, clientId, { suspend: suspended.has(clientId), ignore: ignored.has(clientId) }),
    ),
  };
}

/** How long reading a simulated vault may lag behind writing it. */
export const READ_BACK = 10 * SECOND;

export const TIMING = { requestLifetime: 5 * MINUTE, listLag: MINUTE, maxClockSkew: 5 * MINUTE };

export const LIMITS: Limits = {
  concurrency: 8,
  rotationsPerHour: 60,
  maxLiveSecrets: 5,
  createsPerDay: 4,
  breaker: { failures: 5, cooldown: HOUR / 4 },
};
