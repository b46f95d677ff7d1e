import { formatInstant } from '../../src/domain/time.ts';
import type { Duration } from '../../src/domain/time.ts';
import { seededClientId } from '../../src/emulator/seed.ts';
import { plainShelf } from './consumer.ts';
import type { Serving } from './consumer.ts';
import { EmulatedIssuer } from './emulated-issuer.ts';
import type { TrueSecret } from './emulated-issuer.ts';
import { ISSUER, Site } from './site.ts';

const KEY = 'once';
/** How long a program may take to stop. */
export const SHUTDOWN = 5_000;

/** How long secrets live, and when they are due. */
export interface Terms {
  readonly lifetime: string;
  readonly renewBefore: string;
  readonly grace: string;
  /** The one maintenance window: how long ago it opened, for an hour. Default: none, anything is done at any time. */
  readonly windowSince?: Duration;
}
/** Nothing is due again while a test runs. */
export const LONG: Terms = { lifetime: '2h', renewBefore: '1h', grace: '30m' };
/** Everything is due again after two seconds. */
export const SHORT: Terms = { lifetime: '600s', renewBefore: '598s', grace: '1s' };

function windowsOf({ windowSince }: Terms): string {
  if (windowSince === undefined) return '';
  const [hour, minute] = formatInstant(Date.now() - windowSince)
    .slice(11, 16)
    .split(':');
  return `, windows: [{ start: "${Number(minute)} ${Number(hour)} * * *", duration: 1h }]`;
}

/** Two credentials, each delivered to a file vault and to a directory. */
export const config = ({ lifetime, renewBefore, grace, ...terms }: Terms): string => `instance: job
schedule: "* * * * * *"
resync: 2s
shutdownTimeout: ${SHUTDOWN / 1000}s
ledger: { type: sqlite, path: ./var/rekeyd.db }
http: { port: 0, socket: ./rekeyd.sock }
limits: { createsPerDay: 1000, rotationsPerHour: 1000, maxLiveSecrets: 20 }
${ISSUER}vaults:
  local: { type: file, path: ./vault, key: ./vault.key }
  plain: { type: directory, path: ./plain }
policies:
  default: { lifetime: ${lifetime}, renewBefore: ${renewBefore}, grace: ${grace}, provisional: 20s, verify: { timeout: 10s, settle: 0s }${windowsOf({ lifetime, renewBefore, grace, ...terms })} }
credentials:
  - issuer: data8
    match: { description: "{app} (prod)" }
    deliver: [{ vault: local, name: "{app}" }, { vault: plain, name: "{app}.json" }]
`;

/** The client id of `app-00000N (prod)`. */
export const client = (n: number): string => seededClientId(KEY, n);

/** An issuer with two credentials, and an installation that has not been started yet. */
export class Job {
  readonly issuer: EmulatedIssuer;
  readonly site: Site;

  private constructor(issuer: EmulatedIssuer, site: Site) {
    this.issuer = issuer;
    this.site = site;
  }

  static async open(): Promise<Job> {
    const issuer = await EmulatedIssuer.start({
      seed: {
        key: KEY,
        groups: [{ credentials: 2, description: 'app-{n} (prod)', secretDescription: 'made by hand' }],
      },
    });
    return new Job(issuer, await Site.open(issuer.env, config(LONG)));
  }

  async close(): Promise<void> {
    await this.site.close();
    await this.issuer.stop();
  }

  /** The secrets that rekeyd made, for one credential or for all. */
  ours(n?: number): readonly TrueSecret[] {
    return this.issuer
      .truth()
      .filter(
        (each) => each.description?.includes('[rekeyd:') === true && (n === undefined || each.clientId === client(n)),
      );
  }

  /** What the plain file of a credential serves; nothing where there is none yet. */
  async served(n: number): Promise<Serving> {
    const read = plainShelf(client(n), this.site.path('plain'), `app-00000${n}.json`).read;
    return (await read()) ?? { value: '', secretId: null };
  }

  /** What was changed at the issuer since this was last asked. */
  changes(): readonly string[] {
    const calls = this.issuer.requests();
    return calls.map((each) => each.operation ?? '').filter((each) => /^(create|update|delete)/.test(each));
  }
}
