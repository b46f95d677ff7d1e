import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GenericContainer, Wait } from 'testcontainers';
import { freePort, startProgram } from './local-program.ts';
import type { RunningServer, ServerRecipe } from './provided-server.ts';

/** How to reach OpenBao, or HashiCorp Vault, and a token that may do anything. */
export interface OpenBaoAccess {
  readonly url: string;
  readonly token: string;
  /** The key that unseals it; null: it is not ours to seal. */
  readonly unsealKey: string | null;
  /** The program itself, for a server with other settings; null: there is none on this machine. */
  readonly program: string | null;
  /** Stops it, and starts it again at the same place with what it stored, sealed as after a power cut; null: not ours to stop. */
  readonly power: { off(): Promise<void>; on(): Promise<void> } | null;
}

const VERSION = '2.4.0';
const PORT = 8200;

/** Integrated storage, as in production: its limits on an entry hold. */
function configuration(host: string, port: number, clusterPort: number, data: string): string {
  return [
    `storage "raft" { path = "${data}" node_id = "one" }`,
    `listener "tcp" { address = "${host}:${port}" tls_disable = true }`,
    `api_addr = "http://127.0.0.1:${port}"`,
    `cluster_addr = "http://127.0.0.1:${clusterPort}"`,
  ].join('\n');
}

/** https://openbao.org/docs/configuration/ */
export const openbao: ServerRecipe<OpenBaoAccess> = {
  name: 'OpenBao',
  variables: ['REKEYD_TEST_OPENBAO_URL', 'REKEYD_TEST_OPENBAO_TOKEN'],
  fromEnvironment: () => {
    const [url, token] = [process.env['REKEYD_TEST_OPENBAO_URL'], process.env['REKEYD_TEST_OPENBAO_TOKEN']];
    return url === undefined || token === undefined
      ? null
      : { url, token, unsealKey: null, program: null, power: null };
  },
  provisioned: `openbao-${VERSION}`,
  fromProgram: async (folder): Promise<RunningServer<OpenBaoAccess>> => {
    const home = await mkdtemp(join(tmpdir(), 'rekeyd-openbao-'));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const program = join(folder, 'bao');
    await writeFile(join(home, 'bao.hcl'), configuration('127.0.0.1', port, await freePort(), home));
    const start = () =>
      startProgram(program, ['server', `-config=${home}/bao.hcl`], {
        cwd: home,
        env: { HOME: home },
        ready: () => answers(url),
      });
    let server = await start();
    const power = {
      off: () => server.stop(),
      on: async () => {
        server = await start();
      },
    };
    return {
      access: { url, program, power, ...(await open(url)) },
      stop: async () => {
        await server.stop();
        await rm(home, { recursive: true, force: true });
      },
    };
  },
  fromContainer: async (): Promise<RunningServer<OpenBaoAccess>> => {
    const container = await new GenericContainer(`openbao/openbao:${VERSION}`)
      .withEntrypoint(['bao', 'server', '-config=/tmp/bao.hcl'])
      .withCopyContentToContainer([
        { content: configuration('0.0.0.0', PORT, PORT + 1, '/tmp'), target: '/tmp/bao.hcl', mode: 0o644 },
      ])
      .withExposedPorts(PORT)
      .withWaitStrategy(Wait.forHttp(HEALTH, PORT))
      .start();
    const url = `http://${container.getHost()}:${container.getMappedPort(PORT)}`;
    return {
      access: { url, program: null, power: null, ...(await open(url)) },
      stop: async () => {
        await container.stop();
      },
    };
  },
};

/** Answers 200 also while it is not initialized, or sealed. */
const HEALTH = '/v1/sys/health?uninitcode=200&sealedcode=200';

async function answers(url: string): Promise<boolean> {
  return (await fetch(url + HEALTH)).ok;
}

/** Initializes and unseals a server that is new, and waits until it is active. */
async function open(url: string): Promise<{ token: string; unsealKey: string }> {
  const shares = { secret_shares: 1, secret_threshold: 1 };
  const made = await send(url, 'sys/init', shares);
  const [unsealKey, token] = [(made['keys_base64'] as string[])[0] ?? '', made['root_token'] as string];
  await unseal(url, unsealKey);
  return { token, unsealKey };
}

/** Unseals a server, and waits until it is active. @throws Error where that takes 30 seconds. */
export async function unseal(url: string, key: string): Promise<void> {
  await send(url, 'sys/unseal', { key });
  const until = Date.now() + 30_000;
  while (Date.now() < until) {
    if ((await fetch(`${url}/v1/sys/health`)).status === 200) return;
    await sleep(100);
  }
  throw new Error('OpenBao does not become active');
}

async function send(url: string, path: string, body: object): Promise<Record<string, unknown>> {
  const reply = await fetch(`${url}/v1/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${path}: ${reply.status}`);
  return (await reply.json()) as Record<string, unknown>;
}
