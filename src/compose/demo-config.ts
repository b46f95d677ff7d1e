/** What the demo's configuration is written from. */
export interface DemoConfig {
  readonly baseUrl: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly token: string;
}

/**
 * The demo's configuration: everything as in production, but a secret lives a minute and is replaced after twenty seconds,
 * and a mistake of a person who plays with it does no harm.
 */
export function demoConfig({ baseUrl, tokenUrl, clientId, clientSecret, token }: DemoConfig): string {
  return `# Written by rekeyd demo: a tour of the configuration with lifetimes of a minute. It is gone when the demo ends.
instance: demo
schedule: "* * * * * *" # every second; in production every quarter of an hour
resync: 10s
shutdownTimeout: 10s
ledger: { type: sqlite, path: ./rekeyd.db }
http:
  port: 0 # any free one
  socket: ./rekeyd.sock
  tokens:
    - { name: demo, role: operator, token: ${text(token)} }
limits:
  rotationsPerHour: 100000 # it rotates all the time, which is what the limits are there to prevent
  createsPerDay: 100000
  maxLiveSecrets: 5
issuers:
  data8:
    type: data8
    baseUrl: ${text(baseUrl)}
    tokenUrl: ${text(tokenUrl)}
    clientId: ${text(clientId)}
    clientSecret: ${text(clientSecret)}
    timeout: 3s
    requestsPerSecond: 50
    requestLifetime: 3s
    listLag: 1s
vaults:
  local: { type: file, path: ./vault, key: ./vault.key }
  plain: { type: directory, path: ./plain } # plain files for programs on this machine
policies:
  default:
    lifetime: 60s
    renewBefore: 40s # so it is replaced at the age of 20 s
    grace: 8s # from 'delivered everywhere' to the deletion of the old one
    provisional: 20s
    verify: { timeout: 8s, settle: 1s }
  handover:
    lifetime: 60s
    renewBefore: 40s
    grace: 8s
    provisional: 20s
    verify: { timeout: 8s, settle: 1s }
    unmanaged: delete # secrets that were made by hand go, too, once nothing serves them
credentials:
  - issuer: data8
    match: { description: "{app} (prod)" }
    policy: handover
    deliver:
      - { vault: local, name: "prod/{app}" }
      - { vault: plain, name: "{app}.env", format: text, template: "DATA8_ID={clientId}\\nDATA8_SECRET={clientSecret}\\n" }
  - issuer: data8
    match: { description: "{app} (test)" }
    deliver:
      - { vault: local, name: "test/{app}" }
  - issuer: data8
    match: { description: "{app} (frozen)" }
    suspend: true # watched, not changed
    deliver:
      - { vault: local, name: "frozen/{app}" }
  # The rest of the account matches no rule: it is watched and reported, and left alone.
`;
}

/** A YAML scalar in which nothing is replaced. */
function text(value: string): string {
  return JSON.stringify(value.replaceAll('${', () => '$${'));
}
