import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

export const IMAGE = 'rekeyd:test';

/** What compose and the chart run it with, too. A core file is allowed: the image itself is to see that there is none. */
const HARDENED = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--ulimit', 'core=-1'];

/** @returns stdout. @throws with stderr where Docker says no. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('docker', args, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/** What a container wrote so far, on both streams. */
export async function logsOf(container: string): Promise<string> {
  const { stdout, stderr } = await run('docker', ['logs', container], { maxBuffer: 64 * 1024 * 1024 });
  return stdout + stderr;
}

/** As {@link docker}, for what is to fail. @returns its exit code and stdout. */
export async function tryDocker(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string }> {
  try {
    return { code: 0, stdout: await docker(...args) };
  } catch (error) {
    const { code, stdout } = error as { readonly code: unknown; readonly stdout: unknown };
    return { code: Number(code), stdout: String(stdout) };
  }
}

/** Why no container can be run here; null where one can. */
export async function whyNoDocker(): Promise<string | null> {
  try {
    await docker('version', '--format', '{{.Server.Version}}');
    return null;
  } catch (error) {
    const line = error instanceof Error ? error.message.trim().split('\n').at(-1) : undefined;
    return `no Docker answers here: ${line ?? String(error)}`;
  }
}

/** Builds the image of this checkout, on a base image that is made where none can be pulled. */
export async function buildImage(): Promise<void> {
  await run(join(ROOT, 'test/servers/node-image.sh'), { cwd: ROOT });
  await docker('build', '--quiet', '--tag', IMAGE, ROOT);
}

/** An emulated issuer and a daemon beside it, as in docker-compose.yml's demo, with a volume each for state and secrets. */
export class Installation {
  readonly #id = `rekeyd-test-${randomBytes(6).toString('hex')}`;
  readonly token = randomBytes(24).toString('hex');

  get daemon(): string {
    return `${this.#id}-daemon`;
  }

  static async start(): Promise<Installation> {
    const one = new Installation();
    const secret = ['--client-id=admin', '--client-secret=not-a-secret'];
    const account = ['--credential=shop (prod)', '--credential=billing (prod)'];
    await docker(
      ...['run', '--detach', '--name', one.#id, '--publish', '127.0.0.1::8080', ...HARDENED, IMAGE],
      ...['emulator', '--port=8081', ...secret, ...account],
    );
    const configs = ['rekeyd.yaml', 'operator-token.yaml', 'vaults/directory.yaml', 'demo.yaml'];
    const environment = {
      REKEYD_CONFIG: configs.map((name) => `/etc/rekeyd/${name}`).join(':'),
      REKEYD_OPERATOR_TOKEN: one.token,
      DATA8_BASE_URL: 'http://127.0.0.1:8081',
      DATA8_TOKEN_URL: 'http://127.0.0.1:8081/connect/token',
      DATA8_CLIENT_ID: 'admin',
      DATA8_CLIENT_SECRET: 'not-a-secret',
    };
    await docker(
      ...['run', '--detach', '--name', one.daemon, '--network', `container:${one.#id}`, ...HARDENED],
      ...['--volume', `${one.#id}-state:/var/lib/rekeyd`, '--volume', `${one.#id}-delivered:/delivered`],
      ...Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      IMAGE,
    );
    return one;
  }

  exec(...command: readonly string[]): Promise<string> {
    return docker('exec', this.daemon, ...command);
  }

  async log(): Promise<string> {
    return docker('logs', this.daemon);
  }

  /** Waits until the log holds `text` `times` times. */
  async until(text: string, times = 1): Promise<void> {
    const end = Date.now() + 60_000;
    for (;;) {
      const log = await this.log();
      if (log.split(text).length > times) return;
      if (Date.now() > end) throw new Error(`${text} was not seen ${times} times in:\n${log.slice(-3_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** What the consumer of a credential reads. */
  async delivered(name: string): Promise<{ readonly secretId: string; readonly clientId: string }> {
    const text = await this.exec('node', '-e', `process.stdout.write(fs.readFileSync('/delivered/${name}.json'))`);
    return JSON.parse(text) as { secretId: string; clientId: string };
  }

  /** Calls the daemon over the published port. */
  async ask(method: string, path: string): Promise<{ readonly status: number; readonly body: unknown }> {
    const port = (await docker('port', this.#id, '8080/tcp')).split('\n')[0]?.split(':').at(-1) ?? '';
    const headers = { authorization: `Bearer ${this.token}` };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
    return { status: answer.status, body: await answer.json() };
  }

  async dispose(): Promise<void> {
    await docker('rm', '--force', this.daemon, this.#id);
    await docker('volume', 'rm', `${this.#id}-state`, `${this.#id}-delivered`);
  }
}
