import { expect } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { Observation } from '../../../src/rotation/observation.ts';
import { plan } from '../../../src/rotation/plan.ts';
import {
  destination,
  idAt,
  knownSecret,
  NOW,
  observation,
  record,
  rotation,
  secret,
  serving,
  settled,
  situationOf,
} from './given.ts';

export const healthy: Partial<Observation> = {
  secrets: [secret('2', 80, { generation: 2 })],
  destinations: [destination('a', serving(2, '2')), destination('b', serving(2, '2'))],
  rotations: [rotation(2, { state: 'done', secretId: '2', mayBeServed: true, sentAt: NOW - 10 * DAY })],
};
export const expiring: Partial<Observation> = {
  ...healthy,
  secrets: [secret('2', 29, { generation: 2, born: NOW - 61 * DAY })],
  rotations: [],
};
export const urgent: Partial<Observation> = {
  ...expiring,
  secrets: [secret('2', 0.5, { generation: 2, born: NOW - 89 * DAY })],
};
export const old = secret('1', 20, { generation: 1, born: NOW - 70 * DAY });
export const oldKnown = knownSecret('1', {
  rotationId: idAt(NOW - 70 * DAY, 1),
  generation: 1,
  grace: 14 * DAY,
  deleteAfter: NOW - 1,
});
export const inGrace: Partial<Observation> = {
  ...healthy,
  secrets: [old, secret('2', 80, { generation: 2 })],
  destinations: [settled('a', 2, '2'), settled('b', 2, '2')],
  rotations: [
    rotation(2, { state: 'grace', secretId: '2', supersedes: ['1'], mayBeServed: true, sentAt: NOW - 10 * DAY }),
  ],
  record: record({ secrets: [oldKnown] }),
};
export const circumstances = observation().circumstances;
export const pause = { since: NOW - DAY, until: null, note: null };
export const made = (id: string, n: number) => secret(id, 1, { generation: n, born: NOW - n * HOUR });
export const unborn = { state: 'intended', trigger: 'manual', reason: 'manual', startedAt: NOW - MINUTE } as const;

/** What is seen; the action, its reason and the state that follow. */
export type Row = readonly [name: string, seen: Partial<Observation>, expected: string];

/** What the plan says of it. The whole chain is run, so that the order counts. */
export function decided(seen: Partial<Observation>): string {
  const { decision, state } = plan(situationOf(observation(seen)));
  return `${decision.action} ${decision.reason} ${state}`;
}

/** That planning a situation neither changes it nor gives another plan the second time. */
export function expectPure(seen: Partial<Observation>): void {
  const situation = situationOf(observation(seen));
  const before = JSON.stringify(situation);
  expect(plan(situation)).toEqual(plan(situation));
  expect(JSON.stringify(situation)).toBe(before);
}
