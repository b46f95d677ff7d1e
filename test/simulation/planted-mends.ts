import type { PlantedBug } from './planted-bug.ts';

/** Mends that are undone, and clauses that are left out: each was, or might have been, a line that somebody forgot. */
export const UNDONE_MENDS: readonly PlantedBug[] = [
  {
    name: 'count the grace by the local clock alone',
    what: 'where that is behind, and put right later, the grace is cut short',
    edits: [
      {
        file: 'src/rotation/observation.ts',
        find: 'return Math.max(observation.now, issuerTime(observation));',
        replace: 'return observation.now;',
      },
    ],
    expects: ['S2'],
    seeds: [6],
  },
  {
    name: 'count the grace from before a repair',
    what: 'an entry that holds what nobody can tell leaves the date of a deletion as it was',
    edits: [
      {
        file: 'src/rotation/remember-secrets.ts',
        find: 'if (coverage.doubtful || coverage.served.has(secret.secretId))',
        replace: 'if (coverage.served.has(secret.secretId))',
      },
      {
        file: 'src/rotation/delivery.ts',
        find: ' || mayServeAnything(target, consignment.mark)',
        replace: '',
      },
    ],
    expects: ['S2', 'S3'],
    seeds: [160],
  },
  {
    name: 'overlook that an entry was touched',
    what: 'an entry that another wrote to between two looks, and put right, leaves the date of a deletion as it was',
    edits: [
      {
        file: 'src/rotation/remember-secrets.ts',
        find: 'const from = coverage.touched ? graceStart(observation) : coverage.arrived;',
        replace: 'const from = coverage.arrived;',
      },
    ],
    expects: ['S2', 'S3'],
    seeds: [94],
  },
  {
    name: 'write over what is newer',
    what: 'the order of generations is not asked for before a write',
    edits: [{ file: 'src/rotation/delivery.ts', find: "if (order > 0) return { outcome: 'overtaken' };", replace: '' }],
    expects: ['S6'],
    seeds: [10],
  },
  {
    name: 'act on an old proof',
    what: 'a process that was frozen between proof and deletion deletes all the same',
    edits: [
      {
        file: 'src/rotation/retire.ts',
        find: 'const isLate = Math.abs(now - proof.provenAt) > PROOF_LIFE;',
        replace: 'const isLate = false;',
      },
    ],
    expects: ['S2', 'S3'],
    seeds: [107],
  },
  {
    name: "ignore another's lease",
    what: 'a rotation that another process is at is taken for one that was left',
    edits: [
      {
        file: 'src/rotation/conclude.ts',
        find: 'return beholder.now < heldUntil(rotation, beholder);',
        replace: 'return false;',
      },
    ],
    expects: ['S5', 'S8', 'L1'],
    seeds: [281],
  },
  {
    name: 'store whatever the version',
    what: 'the ledger takes a record that was made of an older one',
    edits: [{ file: 'src/ledger/memory.ts', find: 'if (!matches) return false;', replace: '' }],
    expects: ['S11'],
    seeds: [1],
  },
  {
    name: 'delete outside of the windows',
    what: 'the deletion of a superseded secret does not wait for its maintenance window',
    edits: [
      {
        file: 'src/rotation/windows.ts',
        find: 'return { at, isNow: at === earlier };',
        replace: 'return { at, isNow: true };',
      },
    ],
    expects: ['S15'],
    seeds: [18],
  },
  {
    name: 'begin outside of the windows',
    what: 'a renewal does not wait for its maintenance window',
    edits: [
      {
        file: 'src/rotation/windows.ts',
        find: 'if (opening <= urgent) return { at: opening, inWindow: true };',
        replace: 'if (opening <= urgent) return { at: due, inWindow: true };',
      },
    ],
    expects: ['S15'],
    seeds: [18],
  },
  {
    name: 'print a value',
    what: 'the payload of a new secret is in a log line, in base64',
    edits: [
      {
        file: 'src/rotation/steps/create.ts',
        find: '    return { secretId, value: made.value, expires };\n',
        replace: `    const payload = Buffer.from(JSON.stringify({ clientSecret: made.value.reveal() })).toString('base64');
    world.log.info('payload', payload);
    return { secretId, value: made.value, expires };
`,
      },
    ],
    expects: ['S9'],
    seeds: [1],
  },
  {
    name: 'forget the places of what is not looked at',
    what: 'while a rule says ignore, or a list lacks the credential, its places are taken for none',
    edits: [
      {
        file: 'src/rotation/remember.ts',
        find: 'if (!isLookedAt(observation)) return observation.record.destinations.map((each) => ({ ...each, former: true }));',
        replace: '',
      },
      { file: 'src/rotation/remember.ts', find: 'isLookedAt, issuerTime', replace: 'issuerTime' },
    ],
    expects: ['S2', 'S1', 'S3'],
    seeds: [26],
  },
];
