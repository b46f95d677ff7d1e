import { expect } from 'vitest';
import type { BulkView, BulkWish } from '../../src/daemon/bulk/bulk-api.ts';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

export const EVERYTHING: BulkWish = { match: '*', grace: HOUR, force: false, note: 'breach' };
export const FORCED: BulkWish = { ...EVERYTHING, force: true };
export const BY = { actor: 'somebody', from: '10.0.0.7' };

const LONG = { ...SHORT, lifetime: 90 * DAY, renewBefore: 30 * DAY, grace: 14 * DAY, provisional: DAY };

/** A stage on which so many credentials are served, and nothing is due; the hour in which that began is over. */
export async function servingMany(count: number, options: StageOptions = {}): Promise<Stage> {
  const stage = new Stage({ policy: LONG, resync: 10 * DAY, ...options });
  const { limits } = stage.settings;
  stage.settings = { ...stage.settings, limits: { ...limits, rotationsPerHour: 1000 } };
  for (let each = 0; each < count; each += 1) stage.issuer.addCredential(clientOf(each));
  await stage.start();
  await stage.pass(90 * MINUTE);
  expect(stage.issuer.count('createSecret')).toBe(count);
  await stage.stop();
  stage.settings = { ...stage.settings, limits };
  await stage.start();
  await stage.pass(15 * MINUTE);
  return stage;
}

export function clientOf(each: number): string {
  return `client-${String(each).padStart(3, '0')}`;
}

/** Previews, and begins what was previewed. */
export async function confirmed(stage: Stage, wish: BulkWish = EVERYTHING): Promise<BulkView> {
  const { digest } = await stage.daemon.previewBulk(wish, 100);
  return stage.daemon.startBulk(wish, digest, BY);
}

export async function bulkOf(stage: Stage, id: string): Promise<BulkView> {
  const view = await stage.daemon.bulk(id);
  if (view === null) throw new Error(`no bulk ${id}`);
  return view;
}

/** How many secrets were made within an hour, at most. */
export function mostInAnHour(stage: Stage): number {
  const at = stage.issuer.calls.filter((each) => each.operation === 'createSecret').map((each) => each.at);
  return Math.max(...at.map((end) => at.filter((each) => each > end - HOUR && each <= end).length));
}

/** Secrets that a bulk had made and delivered, by credential. */
export async function deliveredBy(stage: Stage, id: string, clientId: string): Promise<number> {
  return (await stage.rotations(clientId)).filter((each) => each.bulkId === id && each.deliveredAt !== null).length;
}
