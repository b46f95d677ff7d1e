import type { Command } from 'commander';
import { Option } from 'commander';
import type { CredentialView, StatusView } from '../daemon/api.ts';
import { CREDENTIAL_STATES } from '../domain/credential-state.ts';
import type { Instant } from '../domain/time.ts';
import { allCredentials } from './client-argument.ts';
import type { Bench } from './command.ts';
import { daemonOf, withDaemon } from './daemon-way.ts';
import type { WayOptions } from './daemon-way.ts';
import { EXIT } from './exit.ts';
import { printJson, say } from './io.ts';
import { table } from './table.ts';
import { relativeTo } from './when.ts';

interface StatusOptions extends WayOptions {
  readonly state?: string;
  readonly issuer?: string;
  readonly json?: true;
}

/** `rekeyd status`: what `GET /v1/credentials` says. */
export function addStatus(program: Command, bench: Bench): void {
  withDaemon(program.command('status'))
    .description('list the credentials as the running daemon sees them')
    .addOption(new Option('--state <state>', 'only credentials in this state').choices(CREDENTIAL_STATES))
    .option('--issuer <name>', 'only credentials of this issuer')
    .option('--json', 'print JSON')
    .action(bench.act((options: StatusOptions) => status(bench, options)));
}

async function status(bench: Bench, options: StatusOptions): Promise<number> {
  const { io, workshop } = bench;
  const daemon = await daemonOf(bench, options);
  const filter = {
    ...(options.state === undefined ? {} : { state: options.state }),
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
  };
  const items = await allCredentials(daemon, filter);
  if (options.json === true) {
    printJson(io, { items, nextCursor: null });
    return EXIT.done;
  }
  const now = workshop.ports.clock.now();
  say(io, summary(await daemon.get<StatusView>('/v1/status'), now));
  io.out(statusTable(items, now));
  return EXIT.done;
}

/** One line on the daemon itself. */
function summary(status: StatusView, now: Instant): string {
  const scanError = status.lastScan?.error ?? null;
  return [
    `instance ${status.instance}`,
    `mode ${status.mode}`,
    `last scan ${relativeTo(now, status.lastScan?.startedAt ?? null)}${scanError === null ? '' : ` (${scanError})`}`,
    `next ${relativeTo(now, status.nextScan, 'unknown')}`,
    ...(status.paused.paused
      ? [`paused ${status.paused.until === null ? 'until resumed' : `until ${status.paused.until}`}`]
      : []),
    ...(status.bulk == null ? [] : [`bulk ${status.bulk.id}: ${status.bulk.remaining} of ${status.bulk.total} left`]),
    ...status.breakers.filter((breaker) => breaker.open).map((breaker) => `breaker of ${breaker.issuer} is open`),
  ].join(', ');
}

export function statusTable(items: readonly CredentialView[], now: Instant): string {
  const rows = items.map((one) => [
    `${one.issuer}/${one.clientId}`,
    one.name,
    one.state,
    one.reason,
    expiry(one, now),
    relativeTo(now, one.renewAt, ''),
    served(one),
    one.lastError ?? '',
  ]);
  return table(['CREDENTIAL', 'NAME', 'STATE', 'REASON', 'EXPIRES', 'RENEWS', 'SERVED', 'LAST ERROR'], rows);
}

/** Of the served secret; where none is served, of the one that lasts longest. */
function expiry(one: CredentialView, now: Instant): string {
  if (one.current !== null) return relativeTo(now, one.current.expires);
  const last = one.secrets.map((secret) => secret.expires);
  if (last.length === 0) return '';
  if (last.includes(null)) return 'never';
  return relativeTo(
    now,
    last
      .filter((time) => time !== null)
      .sort((a, b) => Date.parse(a) - Date.parse(b))
      .at(-1) ?? null,
  );
}

function served(one: CredentialView): string {
  const present = one.destinations.filter((destination) => !destination.former);
  if (present.length === 0) return '';
  return `${present.filter((destination) => destination.state === 'served').length}/${present.length}`;
}
