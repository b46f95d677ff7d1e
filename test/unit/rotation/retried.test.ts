import { describe, expect, it } from 'vitest';
import type { Reason } from '../../../src/domain/reason.ts';
import type { RotationRecord } from '../../../src/ledger/records.ts';
import { withRetry } from '../../../src/rotation/retried.ts';
import { NOW, rotation } from './given.ts';

const ASKED = { state: 'abandoned', trigger: 'manual', actor: 'ci', note: 'leaked', grace: 5 } as const;
const waiting = rotation(4, { state: 'intended', trigger: 'manual' });

/** How it ended and why; who else is there; what takes up its request. */
const TABLE: readonly [string, Partial<RotationRecord>, Reason, readonly RotationRecord[], string | undefined][] = [
  ['asked for, its process died', ASKED, 'interrupted', [], 'new'],
  ['asked for, stopped while it waited', ASKED, 'verify-interrupted', [], 'new'],
  ['asked for, its answer lost', ASKED, 'response-lost', [], 'new'],
  ['asked for, its secret deleted by somebody', ASKED, 'secret-gone', [], 'new'],
  ['asked for, and another request waits already', ASKED, 'interrupted', [waiting], waiting.id],
  ['asked for, and refused', ASKED, 'issuer-forbidden', [], undefined],
  ['asked for, and never accepted', ASKED, 'verify-timeout', [], undefined],
  ['asked for, and something newer is served', ASKED, 'superseded', [], undefined],
  ['due by itself: it is planned again', { state: 'abandoned' }, 'interrupted', [], undefined],
  ['due by itself, and joined', { state: 'abandoned', joinedBy: 'ops' }, 'interrupted', [], 'new'],
  ['of a bulk, which begins it again', { ...ASKED, bulkId: 'bulk' }, 'interrupted', [], undefined],
  ['of a bulk, and joined', { ...ASKED, bulkId: 'bulk', joinedBy: 'ops' }, 'interrupted', [], 'new'],
];

describe('a rotation that ended before its secret was served', () => {
  it.each(TABLE)('%s', (_name, how, reason, others, expected) => {
    const ended = rotation(3, how);
    const [kept, request, ...more] = withRetry(ended, reason, [ended, ...others], () => 'new', {
      now: NOW,
      generation: 2,
    });
    expect(kept).toEqual(expected === undefined ? ended : { ...ended, retriedAs: expected });
    expect(more).toEqual([]);
    if (expected !== 'new') expect(request).toBeUndefined();
    else {
      expect(request).toMatchObject({ id: 'new', state: 'intended', trigger: 'manual', generation: 4, sentAt: null });
      expect(request).toMatchObject({ note: ended.note, grace: ended.grace, actor: ended.joinedBy ?? 'ci' });
      expect(request).not.toHaveProperty('bulkId');
    }
  });
});
