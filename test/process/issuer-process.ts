import { createHash, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { FaultInput } from '../../src/emulator/faults.ts';
import type { ProgramOptions } from '../../src/emulator/program.ts';
import { Running } from './binary.ts';

const PROGRAM = fileURLToPath(new URL('./issuer-program.ts', import.meta.url));

/** A secret that the issuer has, or had. */
export interface TrueSecret {
  readonly clientId: string;
  readonly clientSecretId: number;
  readonly description: string | null;
  readonly created: string;
  readonly expires: string | null;
  readonly deleted: string | null;
}

/** An emulator in a process of its own, with its fault routes open: what a test knows of the issuer is the truth. */
export class IssuerProcess {
  readonly process: Running;
  readonly url: string;
  /** Its own client, which may use the API. */
  readonly clientSecret: string;

  private constructor(process: Running, url: string, clientSecret: string) {
    this.process = process;
    this.url = url;
    this.clientSecret = clientSecret;
  }

  static async start(options: Partial<ProgramOptions> = {}): Promise<IssuerProcess> {
    // with every character that an encoding changes: what leaks by an encoding is to be found, too
    const clientSecret = `own "${randomBytes(15).toString('base64')}\\/+%&=`;
    const given: ProgramOptions = {
      port: 0,
      data: null,
      clientId: 'admin',
      clientSecret,
      faultRoutes: true,
      ...options,
    };
    const process = new Running([JSON.stringify(given)], { program: PROGRAM });
    const [, url = ''] = await process.until(/API: +(http:\S+)/);
    return new IssuerProcess(process, url, clientSecret);
  }

  /** What the configurations of these tests ask for. */
  get env(): Record<string, string> {
    return {
      DATA8_BASE_URL: this.url,
      DATA8_TOKEN_URL: `${this.url}/connect/token`,
      DATA8_CLIENT_ID: 'admin',
      DATA8_CLIENT_SECRET: this.clientSecret,
    };
  }

  /** Replaces all switches: see docs/emulator.md. */
  async faults(input: FaultInput): Promise<void> {
    await this.#call('PUT', '/_faults', input);
  }

  async truth(): Promise<readonly TrueSecret[]> {
    return ((await this.#call('GET', '/_truth')) as { secrets: TrueSecret[] }).secrets;
  }

  /** Whether a value would get a token, whatever caches say. */
  async accepts(clientId: string, value: string): Promise<boolean> {
    const sha256 = createHash('sha256').update(value).digest('hex');
    return ((await this.#call('POST', '/_accepted', { clientId, sha256 })) as { accepted: boolean }).accepted;
  }

  /** Calls of the API since the last time that this was asked, as `METHOD path status`. */
  async requests(): Promise<readonly { operation: string; status: number | null }[]> {
    const log = (await this.#call('GET', '/_log')) as { operation: string; status: number | null }[];
    await this.#call('DELETE', '/_log');
    return log;
  }

  async stop(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.process.ended();
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }
}
