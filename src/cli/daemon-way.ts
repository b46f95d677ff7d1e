import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { urlProblem } from '../config/fields.ts';
import { SecretValue } from '../domain/secret-value.ts';
import type { WayIn } from '../config/way-in.ts';
import { configFiles, withConfig } from './command.ts';
import type { Bench, ConfigOptions } from './command.ts';
import { DaemonClient } from './daemon-client.ts';
import { UsageError } from './exit.ts';
import { say } from './io.ts';

export interface WayOptions extends ConfigOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly socket?: string;
}

/** Adds the options that say how to reach a running daemon. */
export function withDaemon(command: Command): Command {
  return withConfig(command)
    .option('--url <url>', 'the daemon over HTTP ($REKEYD_URL); default: the local socket of the configuration')
    .option('--token-file <file>', 'file with the token for --url (or the token itself in $REKEYD_TOKEN)')
    .option('--socket <path>', "the daemon's local socket, without reading a configuration ($REKEYD_SOCKET)");
}

/**
 * A client for the daemon that options, environment or configuration name. What is given as an option wins over the
 * environment, a URL over a socket. The configuration is read only where neither is given; one that can be used for nothing
 * but its socket is used for that, which is said.
 * @throws UsageError, ConfigError.
 */
export async function daemonOf(bench: Bench, options: WayOptions): Promise<DaemonClient> {
  const { env } = bench.io;
  if (options.url !== undefined && options.socket !== undefined)
    throw new UsageError('give --url or --socket, not both');
  const url = options.url ?? (options.socket === undefined ? env['REKEYD_URL'] : undefined);
  if (url !== undefined && url !== '') {
    const token = await tokenOf(options, env['REKEYD_TOKEN']);
    return new DaemonClient({ kind: 'url', url: daemonUrl(url), token });
  }
  const socket = options.socket ?? env['REKEYD_SOCKET'] ?? '';
  if (socket !== '') return new DaemonClient({ kind: 'socket', path: socket });
  const way = await wayInOf(bench, options);
  if (way.socket === null) {
    throw new UsageError('the configuration has no local socket (http.socket is off): give --url and --token-file');
  }
  if (way.unusable !== null) {
    say(bench.io, "the configuration has problems ('rekeyd check --offline' lists them): used for http.socket only");
  }
  return new DaemonClient({ kind: 'socket', path: way.socket });
}

/** Where the configuration says that the daemon is. @throws ConfigError where it does not even say that. */
export function wayInOf(bench: Bench, options: ConfigOptions): Promise<WayIn> {
  return bench.workshop.loadWayIn(configFiles(options, bench.io));
}

async function tokenOf(options: WayOptions, fromEnvironment: string | undefined): Promise<SecretValue | null> {
  const text = options.tokenFile === undefined ? (fromEnvironment ?? '') : await readToken(options.tokenFile);
  const token = text.trim();
  if (token === '') {
    if (options.tokenFile !== undefined) throw new UsageError(`the token file ${options.tokenFile} is empty`);
    return null;
  }
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError('the token has characters that no token can have');
  return SecretValue.of(token);
}

async function readToken(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new UsageError(`the token file ${file} cannot be read (${code})`);
  }
}

function daemonUrl(text: string): URL {
  // The rule of the configuration holds here too: over plain http anyone on the way could read the token.
  const problem = urlProblem(text);
  if (problem !== null) throw new UsageError(`--url ${problem}`);
  return new URL(text);
}
