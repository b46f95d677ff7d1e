import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CredentialView, RotationView } from '../../src/daemon/api.ts';
import { ask } from '../unit/http/raw-connection.ts';
import { rekeyd, Running } from './binary.ts';

/** The issuer's section: its values come from the environment, see {@link EmulatedIssuer.env}. */
export const ISSUER = `issuers:
  data8:
    type: data8
    baseUrl: "\${DATA8_BASE_URL}"
    tokenUrl: "\${DATA8_TOKEN_URL}"
    clientId: "\${DATA8_CLIENT_ID}"
    clientSecret: "\${DATA8_CLIENT_SECRET}"
    timeout: 1s
    requestsPerSecond: 1000
    requestLifetime: 1s
    listLag: 500ms
`;

/** One installation: a folder with its configuration, and the programs that run on it. */
export class Site {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #running: Running[] = [];
  #daemon: Running | null = null;

  private constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#env = env;
  }

  static async open(env: Readonly<Record<string, string>>, config: string): Promise<Site> {
    const site = new Site(await mkdtemp(join(tmpdir(), 'rekeyd-site-')), env);
    await site.configure(config);
    return site;
  }

  /** Writes the configuration anew. */
  async configure(text: string): Promise<void> {
    await writeFile(this.config, text);
  }

  get config(): string {
    return this.path('rekeyd.yaml');
  }

  get socket(): string {
    return this.path('rekeyd.sock');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Starts `rekeyd ARGS -c CONFIG`. */
  spawn(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    const one = new Running([...args, '-c', this.config], { env: { ...this.#env, ...env }, cwd: this.folder });
    this.#running.push(one);
    return one;
  }

  /** The daemon, once its HTTP interface is open. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<Running> {
    const daemon = this.spawn(['run'], env);
    await daemon.until(/"event":"http-listening"/);
    this.#daemon = daemon;
    return daemon;
  }

  /** The daemon that was started last. */
  get daemon(): Running {
    if (this.#daemon === null) throw new Error('no daemon was started yet');
    return this.#daemon;
  }

  /** Runs `rekeyd ARGS -c CONFIG` to its end. */
  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): ReturnType<typeof rekeyd> {
    return rekeyd([...args, '-c', this.config], { env: { ...this.#env, ...env }, cwd: this.folder });
  }

  /** Asks the daemon over its local socket. */
  async ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const { status, text } = await ask({ socketPath: this.socket }, path, { method, ...sent });
    return { status, body: text === '' ? null : (JSON.parse(text) as unknown) };
  }

  async credentials(): Promise<readonly CredentialView[]> {
    const { body } = await this.ask('GET', '/v1/credentials?limit=1000');
    return (body as { items: CredentialView[] }).items;
  }

  async rotations(query = ''): Promise<readonly RotationView[]> {
    const { body } = await this.ask('GET', `/v1/rotations?limit=1000${query}`);
    return (body as { items: RotationView[] }).items;
  }

  /** Ends what still runs, and removes the folder. */
  async close(): Promise<void> {
    for (const one of this.#running) {
      one.kill('SIGKILL');
      await one.ended();
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Waits until `look` finds nothing to complain about. @returns the last complaints, where that is not so within `within` ms. */
export async function settled(
  look: () => Promise<readonly string[]> | readonly string[],
  within: number,
): Promise<readonly string[]> {
  const end = Date.now() + within;
  for (;;) {
    const complaints = await look();
    if (complaints.length === 0 || Date.now() > end) return complaints;
    await pause(100);
  }
}

export function pause(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}
