import { expect } from 'vitest';
import type { PauseRequest } from '../../src/daemon/api.ts';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { passServed, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

/** A pause as a person asks for it, without an end unless told. */
export function pause(more: Partial<PauseRequest> = {}): PauseRequest {
  return { until: null, note: null, actor: 'test', ...more };
}

/** A credential that is served and will be due in some hours. */
export async function settled(others: readonly string[] = [], options: StageOptions = {}): Promise<Stage> {
  const stage = new Stage({ policy: SHORT, ...options });
  for (const clientId of ['shop', ...others]) stage.issuer.addCredential(clientId);
  await stage.start();
  await stage.pass(HOUR);
  expect((await stage.view('shop')).state).toBe('ok');
  return stage;
}

/** Lets time pass until the credential `shop` is in a state, half a day at most. */
export async function untilState(stage: Stage, state: string): Promise<void> {
  for (let tries = 0; tries < 12 * 240; tries += 1) {
    if ((await stage.view('shop')).state === state) return;
    await stage.pass(15 * SECOND, 15 * SECOND);
  }
  throw new Error(`it never came to be ${state}`);
}

/** The old secret lives until then, and goes soon after. */
export async function deletedAfter(stage: Stage, at: number): Promise<void> {
  expect(stage.events('grace-restarted'), 'a pause is no service').toEqual([]);
  const left = at - stage.clock.now();
  expect(left).toBeGreaterThan(0);
  await passServed(stage, 'shop', left - MINUTE);
  expect(stage.issuer.secrets('shop'), 'not before its whole grace').toHaveLength(2);
  await passServed(stage, 'shop', 35 * MINUTE);
  expect(stage.issuer.secrets('shop'), 'after its grace').toHaveLength(1);
}
