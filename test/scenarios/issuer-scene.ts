import { expect } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import type { Duration, Instant } from '../../src/domain/time.ts';
import { Stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

/** Until this long after {@link served} nothing is due with the default policy; a few hours later the renewal is. */
export const BEFORE_RENEWAL: Duration = 59 * DAY + 20 * HOUR;

/** A stage on which `shop` is served its first generation, and at rest. */
export async function served(options: StageOptions = {}): Promise<Stage> {
  const stage = new Stage(options);
  stage.issuer.addCredential('shop');
  await stage.start();
  await stage.pass(HOUR);
  expect((await stage.view('shop')).state).toBe('ok');
  return stage;
}

/**
 * As {@link served}, some hours before the renewal is due. All but the last day the machine sleeps: five thousand scans that
 * find nothing would take longer than the rest of the test (whole-rotation.test.ts goes through them).
 */
export async function nearRenewal(options: StageOptions = {}): Promise<Stage> {
  const stage = await served(options);
  await stage.clock.freeze(BEFORE_RENEWAL - DAY);
  await stage.pass(DAY, HOUR);
  expect(stage.issuer.count('createSecret')).toBe(1);
  return stage;
}

/** Lets time pass, and holds the whole way that what consumers read is accepted. */
export async function passServing(stage: Stage, duration: Duration, step: Duration = 15 * MINUTE): Promise<void> {
  const { maxLiveSecrets } = stage.settings.limits;
  for (let left = duration; left > 0; left -= step) {
    await stage.pass(Math.min(step, left), step);
    expect(await stage.allServedAlive('shop'), `served at ${new Date(stage.clock.now()).toISOString()}`).toBe(true);
    expect(liveIds(stage).length).toBeLessThanOrEqual(maxLiveSecrets + 1);
  }
}

/** Ids of all unexpired secrets, in the order of their making. */
export function liveIds(stage: Stage, clientId = 'shop'): string[] {
  const now = stage.clock.now() + stage.issuer.behaviour.skew;
  return stage.issuer
    .secrets(clientId)
    .filter((each) => each.expires === null || each.expires > now)
    .map((each) => each.secretId);
}

/** When each POST was sent. */
export function posts(stage: Stage, clientId = 'shop'): Instant[] {
  return stage.issuer.calls
    .filter((call) => call.operation === 'createSecret' && call.clientId === clientId)
    .map((call) => call.at);
}

/** Ids that a DELETE was sent for, in order. */
export function deletions(stage: Stage, clientId = 'shop'): (string | null)[] {
  return stage.issuer.calls
    .filter((call) => call.operation === 'deleteSecret' && call.clientId === clientId)
    .map((call) => call.secretId);
}

/** Every destination serves one secret, and it is the issuer's only one besides `others`. */
export async function expectOnly(stage: Stage, state: string, ...others: string[]): Promise<void> {
  const view = await stage.view('shop');
  expect(view.state).toBe(state);
  expect(await stage.allServedAlive('shop')).toBe(true);
  const servedIds = new Set(view.destinations.map((each) => each.secretId));
  expect(servedIds.size).toBe(1);
  expect([...servedIds]).toEqual([view.current?.secretId]);
  expect(
    stage.issuer
      .secrets('shop')
      .map((each) => each.secretId)
      .sort(),
  ).toEqual([...servedIds, ...others].sort());
  expect(view.secrets.filter((each) => each.role === 'orphan' || each.role === 'pending')).toEqual([]);
}
