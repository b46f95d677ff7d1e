import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '../config/load.ts';
import type { Ports } from '../domain/ports.ts';
import { DAY, SECOND } from '../domain/time.ts';
import { createEmulator } from '../emulator/emulator.ts';
import type { Seed } from '../emulator/seed.ts';
import type { Log } from '../telemetry/log.ts';
import { backends } from './backends.ts';
import { demoConfig } from './demo-config.ts';
import { logFor } from './logging.ts';
import type { LogStream } from './logging.ts';
import { runDaemon } from './run.ts';

export interface DemoParts {
  readonly version: string;
  readonly ports: Ports;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: LogStream;
  readonly logTo: (log: Log) => void;
}

/** The account to begin with: credentials in different states. */
const SEED: Seed = {
  groups: [
    { credentials: 1, description: 'shop (prod)', expiresIn: 45 * SECOND, secretDescription: 'made by hand' },
    { credentials: 1, description: 'billing (prod)', expiresIn: 20 * DAY, secretDescription: 'made by hand' },
    { credentials: 1, description: 'shop (test)', expiresIn: 90 * SECOND, secretDescription: 'made by hand' },
    { credentials: 1, description: 'archive (frozen)', expiresIn: 400 * DAY, secretDescription: 'made by hand' },
    { credentials: 1, description: 'somebody else', expiresIn: null, secretDescription: 'made by hand' },
  ],
};

/**
 * `rekeyd demo`: emulator, daemon and file vaults in a folder of their own, until SIGTERM or SIGINT; the folder is removed
 * then.
 * @returns the exit code.
 */
export async function runDemo({ version, ports, env, stdout, logTo }: DemoParts): Promise<number> {
  const log = logFor(stdout, env, ports.clock, { level: 'info', format: 'pretty' });
  logTo(log);
  const folder = await mkdtemp(join(tmpdir(), 'rekeyd-demo-'));
  const emulator = await createEmulator({ seed: SEED });
  try {
    const token = randomBytes(18).toString('base64url');
    const config = join(folder, 'rekeyd.yaml');
    const { url, tokenUrl, bootstrap } = emulator;
    const { clientId, clientSecret } = bootstrap;
    if (clientSecret === null) throw new Error('the emulator has kept its client to itself');
    const text = demoConfig({ baseUrl: url, tokenUrl, clientId, clientSecret, token });
    await writeFile(config, text, { mode: 0o600 });
    // The demo is to be the same for everybody: REKEYD_MODE and the like are for the real thing.
    const settings = await loadSettings([config], { readFile, env: {}, backends });
    return await runDaemon({
      settings,
      ports,
      log,
      version,
      listening: (address) => void stdout.write(greeting({ url: address.url, token, config, issuer: url })),
    });
  } finally {
    await emulator.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Places {
  readonly url: string;
  readonly token: string;
  readonly config: string;
  readonly issuer: string;
}

function greeting({ url, token, config, issuer }: Places): string {
  return `
  rekeyd demo: a Data8 emulator at ${issuer}, the daemon, and two vaults of files.
  Secrets live a minute, are replaced after 20 seconds, and what was replaced is deleted 8 seconds later.

  HTTP       ${url}
  token      ${token}
  config     ${config}

  Try it from another terminal:

    curl -H 'Authorization: Bearer ${token}' ${url}/v1/credentials
    npx rekeyd status -c ${config}
    npx rekeyd rotate data8/shop-test --wait -c ${config}
    npx rekeyd read local prod/shop -c ${config} --reveal

  Ctrl-C stops it and removes its folder.

`;
}
