import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { Reason } from '../../../src/domain/reason.ts';
import { proveDeletion } from '../../../src/rotation/proof.ts';
import type { Candidate } from '../../../src/rotation/proof.ts';
import type { Observation } from '../../../src/rotation/observation.ts';
import {
  absent,
  destination,
  down,
  foreign,
  idAt,
  knownSecret,
  NOW,
  observation,
  record,
  secret,
  serving,
} from './given.ts';

const old = secret('1', 20, { generation: 1 });
const present = secret('2', 80, { generation: 2 });
const both = [old, present];
const oldRecord = knownSecret('1', { rotationId: idAt(NOW - 10 * DAY, 1), expires: NOW + 20 * DAY });
const candidate: Candidate = { secret: oldRecord, neverDelivered: false, lasting: HOUR, createdByUs: false };

/** The secret 1 is to go; `null`: it may. */
const TABLE: readonly [string, Partial<Observation>, Partial<Candidate>, Reason | null][] = [
  ['every destination serves the successor', { destinations: [destination('a', serving(2, '2'))] }, {}, null],
  [
    'the list could not be read',
    { secrets: null, destinations: [destination('a', serving(2, '2'))] },
    {},
    'issuer-failed',
  ],
  [
    'it is not listed',
    { secrets: [present], destinations: [destination('a', serving(2, '2'))] },
    {},
    'confirming-deletion',
  ],
  [
    'I21: it is the last live one',
    { secrets: [old], destinations: [destination('a', serving(2, '2'))] },
    {},
    'last-live-secret',
  ],
  [
    'I21: the only other one may be deleted yet: the answer to its deletion was lost',
    {
      destinations: [destination('a', serving(2, '2'))],
      record: record({ secrets: [oldRecord, knownSecret('2', { deletingSince: NOW - 5 * MINUTE })] }),
    },
    {},
    'last-live-secret',
  ],
  [
    'the other one was to be deleted, so long ago that it surely was not',
    {
      destinations: [destination('a', serving(2, '2'))],
      record: record({ secrets: [oldRecord, knownSecret('2', { deletingSince: NOW - 7 * MINUTE })] }),
    },
    {},
    null,
  ],
  ['a destination serves it', { destinations: [destination('a', serving(1, '1'))] }, {}, 'still-served'],
  [
    'a former destination serves it',
    { destinations: [destination('a', serving(2, '2')), destination('b', serving(1, '1'), { format: null })] },
    {},
    'still-served',
  ],
  [
    'V15: a destination could not be read',
    { destinations: [destination('a', serving(2, '2')), destination('b', down)] },
    {},
    'destination-unproven',
  ],
  [
    'a former destination could not be read',
    { destinations: [destination('a', serving(2, '2')), destination('b', down, { format: null })] },
    {},
    'destination-unproven',
  ],
  [
    'a present destination is absent',
    { destinations: [destination('a', serving(2, '2')), destination('b', absent)] },
    {},
    'destination-unproven',
  ],
  [
    'C2: a former destination is surely absent',
    { destinations: [destination('a', serving(2, '2')), destination('b', absent, { format: null })] },
    {},
    null,
  ],
  ['an entry is foreign', { destinations: [destination('a', foreign)] }, {}, 'destination-unproven'],
  [
    'V17: an entry was changed under its mark',
    { destinations: [destination('a', serving(2, '2', { binding: 'broken' }))] },
    {},
    'destination-unproven',
  ],
  [
    'the binding was not proven',
    { destinations: [destination('a', serving(2, '2', { binding: 'unproven' }))] },
    {},
    'destination-unproven',
  ],
  [
    'an entry serves a secret that is not listed',
    { destinations: [destination('a', serving(3, '3'))] },
    {},
    'destination-unproven',
  ],
  [
    'the successor has expired',
    {
      secrets: [old, secret('2', -1, { generation: 2 }), secret('9', 9)],
      destinations: [destination('a', serving(2, '2'))],
    },
    {},
    'destination-unproven',
  ],
  [
    'the successor ends within the hour',
    { secrets: [old, secret('2', 0.5 / 24, { generation: 2 })], destinations: [destination('a', serving(2, '2'))] },
    {},
    'destination-unproven',
  ],
  [
    'the successor ends soon, and so it is asked',
    { secrets: [old, secret('2', 0.5 / 24, { generation: 2 })], destinations: [destination('a', serving(2, '2'))] },
    { lasting: MINUTE },
    null,
  ],
  [
    'the successor never expires',
    { secrets: [old, secret('2', null, { generation: 2 })], destinations: [destination('a', serving(2, '2'))] },
    {},
    null,
  ],
  [
    'C7: its marker was taken off',
    { secrets: [{ ...old, marker: null }, present], destinations: [destination('a', serving(2, '2'))] },
    {},
    'secret-changed',
  ],
  [
    'an id that another secret has now',
    { secrets: [secret('1', 20, { generation: 7 }), present], destinations: [destination('a', serving(2, '2'))] },
    {},
    'secret-changed',
  ],
  [
    'an adopted one whose expiry changed',
    { secrets: [secret('1', 21), present], destinations: [destination('a', serving(2, '2'))] },
    { secret: knownSecret('1') },
    'secret-changed',
  ],
  [
    'an adopted one as it was recorded',
    { secrets: [secret('1', 20), present], destinations: [destination('a', serving(2, '2'))] },
    { secret: knownSecret('1') },
    null,
  ],
  ['never delivered, nothing is there', { destinations: [destination('a', absent)] }, { neverDelivered: true }, null],
  [
    'never delivered, a destination is down',
    { destinations: [destination('a', down)] },
    { neverDelivered: true },
    'destination-unproven',
  ],
  [
    'never delivered, its torn marker is ours by id',
    { secrets: [{ ...old, marker: null }, present], destinations: [destination('a', absent)] },
    { neverDelivered: true, createdByUs: true },
    null,
  ],
  [
    'the mark is of another installation',
    {
      destinations: [
        destination(
          'a',
          serving(2, '2', {
            mark: {
              instance: 'other',
              issuer: 'data8',
              credential: 'shop',
              generation: 2,
              secretId: '2',
              deliveredAt: 0,
            },
          }),
        ),
      ],
    },
    {},
    'destination-unproven',
  ],
  [
    'the issuer says it is later than we think',
    { skew: 80 * DAY, destinations: [destination('a', serving(2, '2'))] },
    {},
    'destination-unproven',
  ],
];

describe('proof of a deletion', () => {
  it.each(TABLE)('%s', (_name, seen, asked, reason) => {
    const result = proveDeletion(observation({ secrets: both, ...seen }), { ...candidate, ...asked });
    expect(result.proven ? null : result.reason).toBe(reason);
  });

  it('is made out for the very secret', () => {
    const seen = observation({ secrets: both, destinations: [destination('a', serving(2, '2'))] });
    const result = proveDeletion(seen, candidate);
    expect(result).toEqual({ proven: true, proof: { secretId: '1', provenAt: NOW } });
  });
});
