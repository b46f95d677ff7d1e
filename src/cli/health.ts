import type { Command } from 'commander';
import type { Bench } from './command.ts';
import { DaemonClient } from './daemon-client.ts';
import { daemonOf, wayInOf, withDaemon } from './daemon-way.ts';
import type { WayOptions } from './daemon-way.ts';
import { EXIT } from './exit.ts';

/** `rekeyd health`: is the daemon alive? For a container's health check, so that the image needs no other program. */
export function addHealth(program: Command, bench: Bench): void {
  withDaemon(program.command('health'))
    .description("ask the daemon on this machine for /livez: 0 while it answers, 1 where it does not; prints 'ok'")
    .action(
      bench.act(async (options: WayOptions) => {
        const daemon = await nearbyDaemon(bench, options);
        await daemon.get('/livez');
        bench.io.out('ok\n');
        return EXIT.done;
      }),
    );
}

/**
 * As every command finds the daemon; without a local socket at the configured port, since /livez asks for no token. It says
 * nothing of a configuration that has problems: what is asked is whether the daemon lives.
 */
async function nearbyDaemon(bench: Bench, options: WayOptions): Promise<DaemonClient> {
  const { env } = bench.io;
  const named = [options.url, options.socket, env['REKEYD_URL'], env['REKEYD_SOCKET']].some(
    (way) => (way ?? '') !== '',
  );
  if (named) return daemonOf(bench, options);
  const way = await wayInOf(bench, options);
  return way.socket === null
    ? new DaemonClient({ kind: 'url', url: urlOf(way.host, way.port), token: null })
    : new DaemonClient({ kind: 'socket', path: way.socket });
}

/** Who listens on every address is asked on loopback. */
function urlOf(host: string, port: number): URL {
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return new URL(`http://${address.includes(':') ? `[${address}]` : address}:${port}`);
}
