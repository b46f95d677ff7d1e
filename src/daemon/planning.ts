import { ACTIONS } from '../domain/action.ts';
import type { Action } from '../domain/action.ts';
import { formatInstant, formatInstantOrNull } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialKey } from '../ledger/records.ts';
import type { Plan, Situation } from '../rotation/decision.ts';
import { plan, trace } from '../rotation/plan.ts';
import { goesAhead } from '../rotation/queued.ts';
import { consider } from '../rotation/tend.ts';
import { Refusal } from './api.ts';
import type { ExplainView, PlanItem, PlanView } from './api.ts';
import type { Engine } from './engine.ts';
import type { Pace } from './pace.ts';
import { candidates } from './scan.ts';

/** What a scan would do now, with the deletions that come later. Changes nothing anywhere. Throws what a list throws. */
export async function planAll(engine: Engine): Promise<PlanView> {
  const { world } = engine;
  const errors: string[] = [];
  const items: PlanItem[] = [];
  const pace = engine.restraints.trialPace();
  for (const name of world.issuers.keys()) {
    const looked = await candidates(engine, name, { errors }, { everything: 'stuck-too' });
    // as many side by side as a scan would; in their order, so that the soonest to expire have the hour's places
    const batch = world.settings.limits.concurrency;
    for (let at = 0; at < looked.length; at += batch) {
      const considered = await Promise.all(
        looked.slice(at, at + batch).map(({ key, listed }) => consider(world, engine.subject(key, listed))),
      );
      for (const each of considered.map(asIfActive)) {
        items.push(...itemsOf(each.situation, underPace(pace, each.situation, each.plan)));
      }
    }
    const seen = new Set(looked.map((each) => each.key.clientId));
    items.push(...(await rest(engine, name, seen)));
  }
  const [first] = errors;
  if (first !== undefined) throw new Refusal('conflict', `an issuer could not be listed: ${first}`);
  const totals = Object.fromEntries(ACTIONS.map((action) => [action, count(items, action)])) as Record<Action, number>;
  return { items, totals };
}

function count(items: readonly PlanItem[], action: Action): number {
  return items.filter((each) => each.action === action).length;
}

/** In mode `observe` people ask the plan what `active` would do: that is what they get. */
function asIfActive({ situation, plan: planned }: { situation: Situation; plan: Plan }): {
  situation: Situation;
  plan: Plan;
} {
  const { observation } = situation;
  if (observation.mode !== 'observe') return { situation, plan: planned };
  const active: Situation = { ...situation, observation: { ...observation, mode: 'active' } };
  return { situation: active, plan: plan(active) };
}

/** The plan as it is once those before it have taken their places in the hour. */
function underPace(pace: Pace, situation: Situation, planned: Plan): Plan {
  const { decision, urgent } = planned;
  if (decision.action !== 'issue') return planned;
  const { observation } = situation;
  if (urgent || goesAhead(decision.queued)) {
    pace.count(observation.now);
    return planned;
  }
  if (pace.reserve(observation.now)) return planned;
  const circumstances = { ...observation.circumstances, pacedUntil: pace.spentUntil(observation.now) };
  return plan({ ...situation, observation: { ...observation, circumstances } });
}

function itemsOf({ observation, record }: Situation, { decision, retirements, dueAt }: Plan): PlanItem[] {
  const base = { ...observation.key, name: record.name };
  const places = observation.destinations.map(({ vault, entry }) => ({ vault, entry }));
  const present = observation.destinations
    .filter((each) => each.format !== null)
    .map(({ vault, entry }) => ({ vault, entry }));
  const now = formatInstantOrNull(observation.now);
  const later = retirements
    .filter((each) => !(decision.action === 'retire' && decision.secret.secretId === each.secretId))
    .map((each): PlanItem => ({
      ...base,
      action: 'retire',
      reason: each.reason,
      dueAt: formatInstantOrNull(each.at),
      destinations: places,
      secretIds: [each.secretId],
    }));
  const item = (
    action: Action,
    destinations: PlanItem['destinations'],
    secretIds: string[],
    at: string | null,
  ): PlanItem => ({
    ...base,
    action,
    reason: decision.reason,
    dueAt: at,
    destinations,
    secretIds,
  });
  switch (decision.action) {
    case 'issue':
      return [item('issue', present, [], now), ...later];
    case 'deliver':
      return [
        item(
          'deliver',
          decision.targets.map(({ vault, entry }) => ({ vault, entry })),
          [decision.secretId],
          now,
        ),
        ...later,
      ];
    case 'restore':
      return [
        item(
          'restore',
          decision.entries.map(({ destination: { vault, entry } }) => ({ vault, entry })),
          decision.secrets.map((each) => each.secret.secretId),
          now,
        ),
        ...later,
      ];
    case 'retire':
    case 'reap':
      return [item(decision.action, places, [decision.secret.secretId], now), ...later];
    case 'none':
      return [item('none', present, [], formatInstantOrNull(decision.dueAt ?? dueAt)), ...later];
  }
}

/** Credentials of which nothing may be due: as the ledger last saw them, without a look where none is needed. */
async function rest(engine: Engine, issuer: string, seen: ReadonlySet<string>): Promise<PlanItem[]> {
  const items: PlanItem[] = [];
  const now = engine.world.clock.now();
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof engine.world.ledger.credentials>> = await engine.world.ledger.credentials(
      { issuer },
      1000,
      cursor,
    );
    for (const record of page.items.map(engine.dated)) {
      if (seen.has(record.clientId)) continue;
      if (record.secrets.some((each) => each.role === 'superseded' && (each.deleteAfter ?? now) <= now)) {
        // a deletion that waits: only a look tells for what
        const { clientId, description } = record;
        const listed = record.goneSince === null ? { clientId, description } : null;
        const considered = await consider(engine.world, engine.subject({ issuer, clientId }, listed));
        items.push(...itemsOf(considered.situation, considered.plan));
        continue;
      }
      const base = { issuer, clientId: record.clientId, name: record.name };
      const places = record.destinations.map(({ vault, entry }) => ({ vault, entry }));
      const at = (when: Instant | null) => formatInstantOrNull(when);
      // of a grace the lines of its secrets tell
      const reason = record.reason === 'grace-running' ? 'up-to-date' : record.reason;
      items.push({
        ...base,
        action: 'none',
        reason,
        dueAt: at(reason === 'up-to-date' ? record.renewAt : (record.dueAt ?? record.renewAt)),
        destinations: places,
        secretIds: [],
      });
      for (const secret of record.secrets) {
        if (secret.role !== 'superseded') continue;
        items.push({
          ...base,
          action: 'retire',
          reason: 'grace-running',
          dueAt: at(secret.deleteAfter === null ? null : engine.retirementOpening(record, secret.deleteAfter)),
          destinations: places,
          secretIds: [secret.secretId],
        });
      }
    }
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

/** Every check in order: what it saw, what it decided, what would unblock it. @throws Refusal `not-found` */
export async function explainOne(engine: Engine, key: CredentialKey): Promise<ExplainView> {
  const issuer = engine.world.issuers.get(key.issuer);
  if (issuer === undefined) throw new Refusal('not-found', `no issuer is configured as ${key.issuer}`);
  // the whole list: claims on destinations are told by all descriptions together
  await candidates(engine, key.issuer, { errors: [] }, { everything: 'due' });
  const list = await issuer.listCredentials();
  const listed = list.find((each) => each.clientId === key.clientId) ?? null;
  if (listed === null && (await engine.world.ledger.credential(key)) === null) {
    throw new Refusal('not-found', `${key.issuer} lists no credential ${key.clientId}, and the ledger knows none`);
  }
  const { situation, plan: planned } = await consider(engine.world, engine.subject(key, listed));
  return {
    ...key,
    name: situation.record.name,
    checks: trace(situation).map(({ check, verdict }) => ({
      check,
      saw: check === 'retirements' && verdict !== null ? withLater(verdict.saw, planned) : (verdict?.saw ?? ''),
      decided:
        verdict === null
          ? 'not reached'
          : verdict.decision === null
            ? 'passed on'
            : `${verdict.decision.action}: ${verdict.decision.reason}`,
      unblock: verdict?.unblock ?? '',
    })),
    action: planned.decision.action,
    reason: planned.decision.reason,
  };
}

/** What the check of retirements saw, with those that it has nothing to do for yet, as the plan lists them. */
function withLater(saw: string, { retirements }: Plan): string {
  const later = retirements
    .filter(({ secretId }) => !saw.startsWith(`secret ${secretId} `))
    .map(({ secretId, at, reason }) => `secret ${secretId}${at === null ? '' : ` at ${formatInstant(at)}`}, ${reason}`);
  return [saw, ...later].join('; ');
}
