import { compilePattern } from '../config/pattern.ts';
import { safeMessage } from '../domain/errors.ts';
import { SECOND } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { ListedCredential } from '../issuers/contract.ts';
import type { Ledger } from '../ledger/contract.ts';
import type { CredentialKey } from '../ledger/records.ts';
import { Refusal } from './api.ts';
import type { Engine } from './engine.ts';
import type { Breadth, Candidate, Later } from './roster.ts';

export interface ScanReport {
  readonly scanId: string;
  readonly startedAt: Instant;
  finishedAt: Instant | null;
  looked: number;
  /** Issuers that could not be listed, with why. */
  readonly errors: string[];
}

export interface ScanOptions {
  readonly everything: Breadth;
  readonly trigger: 'schedule' | 'startup';
  readonly limit: number | null;
  /** A glob on ISSUER/CLIENT, clientId or name. */
  readonly only: string | null;
}

/** One list call an issuer, then a visit to each credential of which something may be due. Never throws. */
export async function scan(engine: Engine, report: ScanReport, options: ScanOptions): Promise<void> {
  const { world } = engine;
  world.log.debug('scan-started', 'A scan begins', { scanId: report.scanId });
  const began = world.clock.monotonic();
  const later = (key: CredentialKey, dueAt: Instant): void => engine.wakeAt(key, dueAt);
  const found = await Promise.all(
    [...world.issuers.keys()].map((name) => candidates(engine, name, report, { ...options, later })),
  );
  const wanted = found.flat().filter((each) => isMeant(engine, each, options.only));
  await visitAll(engine, wanted, options, report);
  report.finishedAt = world.clock.now();
  world.events.tell({
    type: 'scan-finished',
    scanId: report.scanId,
    looked: report.looked,
    failedIssuers: report.errors.length,
    seconds: (world.clock.monotonic() - began) / SECOND,
  });
}

/**
 * Visits candidates in their order, no more at a time than there are slots: of the others nothing is in memory but who they
 * are. With a limit, no more at a time than may still act: one that is only looked at takes no place. The report counts
 * them as they are looked at.
 */
async function visitAll(
  engine: Engine,
  wanted: readonly Candidate[],
  { limit, trigger }: ScanOptions,
  report: ScanReport,
): Promise<void> {
  let left = limit ?? wanted.length;
  const lane = async (): Promise<void> => {
    for (let next = wanted[report.looked]; next !== undefined && left > 0; next = wanted[report.looked]) {
      if (engine.leaving.signal.aborted) return;
      report.looked += 1;
      left -= 1;
      const acted = await engine.dispatcher.visit(engine.subject(next.key, next.listed, trigger));
      if (limit !== null && !acted) left += 1;
    }
  };
  await Promise.all(Array.from({ length: engine.world.settings.limits.concurrency }, lane));
}

/**
 * Who of an issuer must be looked at; `later` as in `Roster.compare`. An issuer that cannot be listed is told, and holds
 * up no other.
 */
export async function candidates(
  engine: Engine,
  name: string,
  report: Pick<ScanReport, 'errors'>,
  { everything, later }: Pick<ScanOptions, 'everything'> & { readonly later?: Later },
): Promise<Candidate[]> {
  const { world } = engine;
  const began = world.clock.now();
  let list: readonly ListedCredential[];
  try {
    list = (await world.issuers.get(name)?.listCredentials(engine.giveUp.signal)) ?? [];
  } catch (error) {
    if (engine.giveUp.signal.aborted) return [];
    report.errors.push(`${name}: ${safeMessage(error)}`);
    world.events.tell({
      type: 'scan-failed',
      reason: 'issuer-failed',
      issuer: name,
      error: safeMessage(error),
    });
    if (later !== undefined) await tellDates(world.ledger, name, began, later);
    return [];
  }
  if (engine.leaving.signal.aborted) return [];
  const headers = world.ledger.headers(name);
  const wanted = await engine.roster.compare(name, list, headers, world.clock.now(), everything, later);
  world.meter.scanSucceeded(name, world.clock.now());
  return wanted;
}

/**
 * Tells the dates after `since` that the ledger knows of an issuer's credentials: in place of a scan that was to compare them,
 * and could not list, or is skipped. @throws LedgerError
 */
export async function tellDates(ledger: Ledger, issuer: string, since: Instant, later: Later): Promise<void> {
  for await (const { clientId, dueAt } of ledger.headers(issuer)) {
    if (dueAt !== null && dueAt > since) later({ issuer, clientId }, dueAt);
  }
}

/** Whether a glob on ISSUER/CLIENT, clientId or name means this candidate. @throws Refusal `invalid` for a pattern that cannot be used */
export function isMeant(
  engine: Engine,
  { key, listed }: Pick<Candidate, 'key' | 'listed'>,
  only: string | null,
): boolean {
  if (only === null) return true;
  const pattern = compilePattern(only);
  if ('problem' in pattern) throw new Refusal('invalid', `${only}: ${pattern.problem}`);
  const terms = listed === null ? null : engine.roster.terms(key.issuer, listed);
  const name = terms?.kind === 'managed' ? terms.name : '';
  return [`${key.issuer}/${key.clientId}`, key.clientId, name].some((text) => pattern.match(text) !== null);
}
