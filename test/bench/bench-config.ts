import type { EmulatorPlace } from './emulator-process.ts';

const HOUR = 60 * 60_000;

/** The waits of the policy that the bench works with: the clocks are moved on by them, nothing is waited for. */
export const RENEWAL = 25 * HOUR;
export const GRACE = HOUR;
export const LIST_LAG = 1_000;
export const CONCURRENCY = 8;
/** Of a viewer, over HTTP. */
export const TOKEN = 'bench-token-0123456789';

const NO_LIMIT = 1_000_000;
const MOST_A_SECOND = 10_000;

/**
 * The configuration of the daemon under test: what paces it is out of the way, everything else as in production. What is
 * described `due-…` lives short and is due after {@link RENEWAL}; `app-…` lives long.
 */
export function benchConfig(place: EmulatorPlace): string {
  return `instance: bench
schedule: "*/15 * * * *"
resync: 36500d # hardly a slot comes up while the bench runs
ledger: { type: sqlite, path: ./rekeyd.db }
http: { socket: null }
limits:
  concurrency: ${CONCURRENCY}
  rotationsPerHour: ${NO_LIMIT}
  createsPerDay: ${NO_LIMIT}
${issuer(place)}vaults:
  local: { type: file, path: ./vault, key: ./vault.key, requestsPerSecond: ${MOST_A_SECOND} }
policies:
  short: { lifetime: 4d, renewBefore: 72h, grace: 1h, provisional: 1h, verify: { timeout: 20s, settle: 0s } }
  long: { lifetime: 3650d, renewBefore: 30d, grace: 1h, provisional: 1h, verify: { timeout: 20s, settle: 0s } }
credentials:
  - { issuer: data8, match: { description: "due-{n}" }, policy: short, deliver: [{ vault: local, name: "due/{n}" }] }
  - { issuer: data8, match: { description: "app-{n}" }, policy: long, deliver: [{ vault: local, name: "app/{n}" }] }
`;
}

/** For the program as it is shipped: everything is looked at, nothing is changed; a scan every few seconds. */
export function memoryConfig(place: EmulatorPlace, managed: boolean): string {
  const rule =
    '  - { issuer: data8, match: { description: "app-{n}" }, deliver: [{ vault: local, name: "app/{n}" }] }\n';
  return `instance: bench
mode: observe
schedule: "*/5 * * * * *"
ledger: { type: sqlite, path: ./rekeyd.db }
http: { port: 0, socket: ./rekeyd.sock }
${issuer(place)}vaults:
  local: { type: file, path: ./vault, key: ./vault.key, requestsPerSecond: ${MOST_A_SECOND} }
credentials:${managed ? `\n${rule}` : ' []\n'}`;
}

function issuer({ baseUrl, tokenUrl, clientId, clientSecret }: EmulatorPlace): string {
  return `issuers:
  data8:
    type: data8
    baseUrl: ${JSON.stringify(baseUrl)}
    tokenUrl: ${JSON.stringify(tokenUrl)}
    clientId: ${JSON.stringify(clientId)}
    clientSecret: ${JSON.stringify(clientSecret)}
    requestsPerSecond: ${MOST_A_SECOND}
    listLag: ${LIST_LAG}ms
`;
}
