import { expect } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import { destinationsDigest, formatMarker } from '../../src/domain/marker.ts';
import type { Payload } from '../../src/domain/payload.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { DAY, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Duration } from '../../src/domain/time.ts';
import type { MemoryOperation } from '../../src/vaults/memory-faults.ts';
import { Stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

/** The credential that most scenarios are about. */
export const SHOP = { issuer: 'data8', clientId: 'shop' };

/** A stage on which generation 1 of `shop` is served everywhere. */
export async function servingStage(options: StageOptions = {}): Promise<Stage> {
  const stage = new Stage(options);
  stage.issuer.addCredential('shop');
  await stage.start();
  await stage.pass(30 * MINUTE);
  const rotations = await stage.rotations('shop');
  expect(rotations.map((each) => each.state)).toEqual(['done']);
  return stage;
}

/** `shop` holds two secrets made by hand: 1, which ends in 100 days, and 2, which ends in 200. */
export function stageByHand(options: StageOptions = {}): Stage {
  const stage = new Stage(options);
  stage.issuer.addCredential('shop');
  for (const days of [100, 200]) stage.issuer.addSecret('shop', { expires: stage.clock.now() + days * DAY }, DAY);
  return stage;
}

/** The value of one of its secrets. */
export function valueOf(stage: Stage, secretId: string): string {
  return stage.issuer.valueOf('shop', secretId) ?? '';
}

/** A person asks for the next generation; manual rotations do not settle, so that it is soon there. */
export async function renew(stage: Stage, grace: Duration | null = null): Promise<string> {
  const { rotationId } = await stage.daemon.rotate(SHOP, { note: null, grace, actor: 'test' });
  await stage.pass(2 * MINUTE, MINUTE);
  return rotationId;
}

/** Another configuration, which the daemon reads when it starts again. */
export async function reconfigure(stage: Stage, change: Partial<Settings>): Promise<void> {
  await stage.stop();
  stage.settings = { ...stage.settings, ...change };
  await stage.start();
}

/** An entry as a person makes it, in format json; without `secretId` it does not name its secret. */
export function jsonByHand(clientSecret: string, secretId?: string): Payload {
  const fields = { clientId: 'shop', clientSecret, ...(secretId === undefined ? {} : { secretId }) };
  return { form: 'fields', content: SecretValue.of(JSON.stringify(fields)) };
}

export function valueByHand(clientSecret: string): Payload {
  return { form: 'opaque', content: SecretValue.of(clientSecret) };
}

/** What the mark of an entry says now; null: there is none, or nothing that it is bound to. */
export function markAt(stage: Stage, vault: string, entry = 'shop'): { generation: number; secretId: string } | null {
  const state = stage.vault(vault).peek(entry);
  if (state?.mark == null || !state.bound || state.payload === null) return null;
  return { generation: state.mark.generation, secretId: state.mark.secretId };
}

/** Ids of all secrets that are not deleted. */
export function secretIds(stage: Stage, clientId = 'shop'): string[] {
  return stage.issuer.secrets(clientId).map((each) => each.secretId);
}

/** How often a vault was written to, marks included. */
export function writes(stage: Stage, vault: string): number {
  return stage.vault(vault).calls.filter((each) => each.operation === 'deliver' || each.operation === 'restoreMark')
    .length;
}

/** Moves time on, second by second, until a vault is in the middle of a call. It must be slow: see `setDelay`. */
export async function untilCall(stage: Stage, vault: string, operation: MemoryOperation): Promise<void> {
  const count = () => stage.vault(vault).calls.filter((each) => each.operation === operation).length;
  const before = count();
  for (let seconds = 0; count() === before; seconds += 1) {
    if (seconds > 3600) throw new Error(`no ${operation} at ${vault} within an hour`);
    await stage.pass(SECOND, SECOND);
  }
}

/** Another installation of the same name made a secret that this ledger does not know: alive, with a whole marker. */
export function secretOfAnother(stage: Stage, generation: number): string {
  const at = stage.clock.now() - DAY;
  const pairs = [...stage.vaults.values()].map(({ identity }) => ({ identity, entry: 'shop' }));
  const marker = {
    instance: 'test',
    generation,
    rotationId: `${at.toString(16).padStart(12, '0').slice(0, 8)}-${at.toString(16).padStart(12, '0').slice(8)}-7000-8fff-0000000000ff`,
    destinations: destinationsDigest(pairs),
  };
  const wish = { expires: stage.clock.now() + 89 * DAY, description: `shop ${formatMarker(marker)}` };
  return stage.issuer.addSecret('shop', wish, DAY).secretId;
}

/**
 * What must hold at the end of every scenario: all that is served is accepted, no secret of a stranger was deleted, live
 * secrets are few, and none of ours is left that nothing serves and nothing will delete.
 */
export async function expectSound(stage: Stage, clientId = 'shop', mayDelete: readonly string[] = []): Promise<void> {
  expect(await stage.allServedAlive(clientId)).toBe(true);
  const strangers = stage.issuer.everySecret(clientId).filter((each) => !each.description.includes('[rekeyd:'));
  const deleted = strangers.filter((each) => each.deletedAt !== null).map((each) => each.secretId);
  expect(deleted.filter((each) => !mayDelete.includes(each))).toEqual([]);
  const live = stage.issuer.secrets(clientId).filter((each) => (each.expires ?? Infinity) > stage.clock.now());
  expect(live.length).toBeLessThanOrEqual(stage.settings.limits.maxLiveSecrets);
  const roles = (await stage.view(clientId)).secrets.map((each) => each.role);
  expect(roles).not.toContain('orphan');
}
