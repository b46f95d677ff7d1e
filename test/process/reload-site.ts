import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { seededClientId } from '../../src/emulator/seed.ts';
import type { Running } from './binary.ts';
import { EmulatedIssuer } from './emulated-issuer.ts';
import { ISSUER, settled, Site } from './site.ts';

const KEY = 'reload';
export const SHOP = seededClientId(KEY, 1);

interface Config {
  readonly mode?: string;
  readonly schedule?: string;
  readonly instance?: string;
  readonly policy?: string;
  readonly vaults?: string;
  readonly deliver?: string;
  readonly http?: string;
  readonly issuer?: string;
}

/** A renewal is due as soon as a secret is there, where `renewBefore` says so. */
export const DUE =
  '{ lifetime: 600s, renewBefore: 599s, grace: 1s, provisional: 30s, verify: { timeout: 10s, settle: 100ms } }';
const CALM =
  '{ lifetime: 600s, renewBefore: 60s, grace: 1s, provisional: 30s, verify: { timeout: 10s, settle: 100ms } }';

/** The configuration of one credential, with what differs from a calm day. */
export const configOf = (given: Config = {}): string => `instance: ${given.instance ?? 'reload'}
mode: ${given.mode ?? 'active'}
schedule: "${given.schedule ?? '* * * * * *'}"
resync: 1s
shutdownTimeout: 5s
ledger: { type: sqlite, path: ./rekeyd.db }
http: { port: 0, socket: ./rekeyd.sock${given.http ?? ''} }
limits: { createsPerDay: 1000, rotationsPerHour: 1000, maxLiveSecrets: 20 }
${given.issuer ?? ISSUER}vaults:
  plain: { type: directory, path: ./plain }
${given.vaults ?? ''}policies:
  default: ${given.policy ?? CALM}
credentials:
  - { issuer: data8, match: { clientId: ${SHOP} }, name: shop, deliver: [${given.deliver ?? '{ vault: plain, name: shop.json }'}] }
`;

const OUTCOMES = ['config-reloaded', 'config-refused', 'config-unchanged'];

/** An installation whose configuration changes while its daemon runs. */
export class ReloadSite {
  readonly issuer: EmulatedIssuer;
  readonly site: Site;

  private constructor(issuer: EmulatedIssuer, site: Site) {
    this.issuer = issuer;
    this.site = site;
  }

  static async open(): Promise<ReloadSite> {
    const issuer = await EmulatedIssuer.start({
      seed: { key: KEY, groups: [{ credentials: 1, description: 'shop (prod)' }] },
    });
    return new ReloadSite(issuer, await Site.open(issuer.env, configOf()));
  }

  get daemon(): Running {
    return this.site.daemon;
  }

  start(): Promise<Running> {
    return this.site.start();
  }

  /** Lines of the daemon's log with this event. */
  told(event: string): Record<string, unknown>[] {
    return this.daemon.out
      .split('\n')
      .filter((line) => line.includes(`"event":"${event}"`))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Writes the configuration and sends SIGHUP. @returns which event it led to. */
  async reload(text: string): Promise<string> {
    await this.site.configure(text);
    const from = new Map(OUTCOMES.map((each) => [each, this.told(each).length]));
    this.daemon.kill('SIGHUP');
    const outcome = (): string | undefined => OUTCOMES.find((each) => this.told(each).length > (from.get(each) ?? 0));
    const wait = () => (outcome() === undefined ? ['not told'] : []);
    expect(await settled(wait, 20_000), `${OUTCOMES.join(', ')} in ${this.daemon.out.slice(-2_000)}`).toEqual([]);
    return outcome() ?? '';
  }

  /** Where the HTTP interface listens. */
  get url(): string {
    return String(this.told('http-listening')[0]?.['url']);
  }

  async metric(name: string): Promise<string | undefined> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1];
  }

  async status(): Promise<{ mode: string }> {
    return (await this.site.ask('GET', '/v1/status')).body as { mode: string };
  }

  /** What a consumer reads in a folder. @throws where nothing is there. */
  async served(folder = 'plain'): Promise<{ clientSecret: string; secretId: string }> {
    const text = await readFile(this.site.path(`${folder}/shop.json`), 'utf8');
    return JSON.parse(text) as { clientSecret: string; secretId: string };
  }

  /** Waits until a folder has an entry. */
  async untilServed(folder: string): Promise<void> {
    const look = async () => ((await this.served(folder).catch(() => null)) === null ? ['absent'] : []);
    expect(await settled(look, 15_000), folder).toEqual([]);
  }

  async close(): Promise<void> {
    await this.site.close();
    await this.issuer.stop();
  }
}
