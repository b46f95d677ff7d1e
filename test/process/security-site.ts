import type { Running } from './binary.ts';
import { ISSUER } from './site.ts';

export const TOKEN = 'operator-token-0123456789abcdef';
export const VIEWER = 'viewer-token-0123456789abcdef';

/** A daemon that does a lot within seconds, for the tests of what it must not show or take. */
export const securityConfig = (more: { tokens: boolean }): string => `instance: sec
schedule: "* * * * * *"
resync: 2s
ledger: { type: sqlite, path: ./var/rekeyd.db }
http:
  port: 0
  socket: ./rekeyd.sock
${more.tokens ? `  tokens: [{ name: ci, role: operator, token: ${TOKEN} }, { name: eyes, role: viewer, token: ${VIEWER} }]\n` : ''}limits: { createsPerDay: 1000, rotationsPerHour: 1000, maxLiveSecrets: 20 }
${ISSUER.replace('${DATA8_CLIENT_SECRET}', '${file:./own.secret}')}vaults:
  local: { type: file, path: ./vault, key: ./vault.key }
  plain: { type: directory, path: ./plain }
policies:
  default: { lifetime: 60s, renewBefore: 55s, grace: 1s, provisional: 8s, verify: { timeout: 4s, settle: 0s } }
credentials:
  - issuer: data8
    match: { description: "{app} (prod)" }
    deliver: [{ vault: local, name: "{app}" }, { vault: plain, name: "{app}.json" }]
`;

/** Where it listens, by its log. */
export function portOf(running: Running): number {
  return Number(/"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(running.out)?.[1]);
}
