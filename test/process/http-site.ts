import { expect } from 'vitest';
import type { CredentialView, RotationView } from '../../src/daemon/api.ts';
import { seededClientId } from '../../src/emulator/seed.ts';
import type { Running } from './binary.ts';
import { EmulatedIssuer } from './emulated-issuer.ts';
import { ISSUER, settled, Site } from './site.ts';

const KEY = 'http';
export const OPERATOR = 'operator-token-0123456789abcdef';
export const VIEWER = 'viewer-token-0123456789abcdef';
/** How many credentials have a rule; the one after them has none. */
export const MANAGED = 7;
export const UNMANAGED = MANAGED + 1;

/** The client id of the nth credential. */
export const client = (n: number): string => seededClientId(KEY, n);
/** The path of the nth credential. */
export const one = (n: number): string => `/v1/credentials/data8/${client(n)}`;

const config = (destinations: readonly string[]): string => `instance: web
schedule: "* * * * * *"
resync: 2s
ledger: { type: sqlite, path: ./rekeyd.db }
http:
  port: 0
  socket: ./rekeyd.sock
  tokens: [{ name: ci, role: operator, token: ${OPERATOR} }, { name: eyes, role: viewer, token: ${VIEWER} }]
limits: { createsPerDay: 1000, rotationsPerHour: 1000, maxLiveSecrets: 20 }
${ISSUER}vaults:
  local: { type: file, path: ./vault, key: ./vault.key }
  plain: { type: directory, path: ./plain }
policies:
  default: { lifetime: 2h, renewBefore: 1h, grace: 30m, provisional: 20s, verify: { timeout: 8s, settle: 0s } }
credentials:
  - issuer: data8
    match: { description: "{app} (prod)" }
    deliver: [${destinations.join(', ')}]
`;
const LOCAL = '{ vault: local, name: "{app}" }';
const PLAIN = '{ vault: plain, name: "{app}.json" }';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** A daemon on two vaults that is asked over HTTP, with every credential settled. */
export class HttpSite {
  readonly issuer: EmulatedIssuer;
  readonly site: Site;

  private constructor(issuer: EmulatedIssuer, site: Site) {
    this.issuer = issuer;
    this.site = site;
  }

  static async open(): Promise<HttpSite> {
    const issuer = await EmulatedIssuer.start({
      seed: {
        key: KEY,
        groups: [
          { credentials: MANAGED, description: 'app-{n} (prod)', secretDescription: 'made by hand' },
          { credentials: 1, description: 'somebody else', secretDescription: 'made by hand' },
        ],
      },
    });
    const on = new HttpSite(issuer, await Site.open(issuer.env, config([LOCAL, PLAIN])));
    await on.site.start();
    const waiting = await settled(async () => {
      const states = (await on.site.credentials()).map((each) => `${each.name} ${each.state}`);
      // ours, the one without a rule, and the issuer's own client
      const all = states.length === MANAGED + 2;
      return all ? states.filter((each) => !/ ok$|unmanaged$/.test(each)) : ['not all are known'];
    }, 30_000);
    expect(waiting).toEqual([]);
    return on;
  }

  get daemon(): Running {
    return this.site.daemon;
  }

  get url(): string {
    return /"url":"([^"]+)"/.exec(this.daemon.out)?.[1] ?? '';
  }

  /** Stops the daemon, and starts it without the rules' second destination. */
  async restartWithoutPlain(): Promise<void> {
    this.daemon.kill('SIGTERM');
    expect((await this.daemon.ended()).code).toBe(0);
    await this.site.configure(config([LOCAL]));
    await this.site.start();
  }

  async call(method: string, path: string, body?: unknown, token: string | null = OPERATOR): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? (JSON.parse(text) as Answer['body']) : { text },
    };
  }

  /** Triggers a rotation, and waits until it is delivered everywhere. */
  async rotate(n: number, body: object = {}): Promise<RotationView> {
    const { status, body: answer } = await this.call('POST', `${one(n)}/rotate`, body);
    expect(status, JSON.stringify(answer)).toBe(202);
    return this.delivered(String(answer['rotationId']));
  }

  async delivered(id: string): Promise<RotationView> {
    let view: RotationView | null = null;
    const late = await settled(async () => {
      view = (await this.call('GET', `/v1/rotations/${id}`)).body as unknown as RotationView;
      return view.deliveredAt === null ? [`rotation ${id} is ${view.state}: ${view.error ?? ''}`] : [];
    }, 20_000);
    expect(late).toEqual([]);
    return view as unknown as RotationView;
  }

  async credential(n: number): Promise<CredentialView> {
    return (await this.call('GET', one(n))).body as unknown as CredentialView;
  }

  async close(): Promise<void> {
    await this.site.close();
    await this.issuer.stop();
  }
}
