import type { PlantedBug } from './planted-bug.ts';
import { UNDONE_MENDS } from './planted-mends.ts';

/** Mistakes of plausible designs. */
const MISTAKES: readonly PlantedBug[] = [
  {
    name: 'skip the read-back',
    what: 'what a vault answers to a write is taken for its proof',
    edits: [
      {
        file: 'src/rotation/delivery.ts',
        find: 'const revision = await readBack(world, vault, ref, payload, consignment.mark, signal);',
        replace: 'const revision = null;',
      },
    ],
    expects: ['S12'],
    seeds: [1],
  },
  {
    name: 'skip the read-back of an extension',
    what: 'what the issuer answers to a PUT is taken for its proof',
    edits: [
      {
        file: 'src/rotation/steps/extend.ts',
        find: 'await confirm(issuance, fresh, isGood, listPause);',
        replace: 'wish;',
      },
    ],
    expects: ['S13'],
    seeds: [14],
  },
  {
    name: 'treat denied as absent',
    what: 'an entry that may not be read is taken for one that is not there',
    edits: [
      {
        file: 'src/rotation/look.ts',
        find: "sight = { state: 'unreachable', error: safeMessage(error) };",
        replace: `const isDenied = error instanceof VaultError && error.fault === 'denied';
    sight = isDenied ? { state: 'absent' } : { state: 'unreachable', error: safeMessage(error) };`,
      },
    ],
    expects: ['S2', 'S14'],
    seeds: [102],
  },
  {
    name: 'delete on the timer alone',
    what: 'a grace that is over is proof enough',
    edits: [
      {
        file: 'src/rotation/checks/tidying.ts',
        find: "return [goer(situation, secret, 'grace-over', false, null)];",
        replace: `const proof = { secretId: secret.secretId, provenAt: situation.observation.readSince };
    return [{ secret, reason: 'grace-over', verdict: { proof } }];`,
      },
    ],
    expects: ['S1', 'S2', 'S3', 'S4'],
    seeds: [3],
  },
  {
    name: 'retry POST blindly',
    what: 'a creation that failed is sent again, whatever it failed of',
    edits: [
      {
        file: 'src/rotation/steps/create.ts',
        find: 'const made = await issuer.createSecret(tenure.rotation.clientId, wish, control.giveUp);',
        replace: `const post = () => issuer.createSecret(tenure.rotation.clientId, wish, control.giveUp);
    const made = await post().catch(post);`,
      },
    ],
    expects: ['S7', 'S8'],
    seeds: [7],
  },
  {
    name: "reap another replica's secret in flight",
    what: 'what carries our mark and is not in this ledger is taken for a leftover',
    edits: [
      {
        file: 'src/rotation/checks/tidying.ts',
        find: "if (secret.role !== 'orphan' || rotation === null) return [];",
        replace: "if (secret.role !== 'orphan') return [];",
      },
      {
        file: 'src/rotation/remember-secrets.ts',
        find: "if (isProvisional(observation, base)) return { ...base, role: 'pending' };",
        replace: '',
      },
    ],
    expects: ['S1', 'S3', 'S5'],
    seeds: [7],
  },
  {
    name: 'forget former destinations',
    what: 'a destination that no rule names any more is not looked at',
    edits: [{ file: 'src/rotation/look.ts', find: 'return [...present, ...former];', replace: 'return present;' }],
    expects: ['S2'],
    seeds: [3],
  },
  {
    name: 'shorten grace by configuration',
    what: 'how long a grace is, is read from the configuration when it may be over',
    edits: [
      {
        file: 'src/rotation/checks/tidying.ts',
        find: 'const at = graceEnd(secret, situation.observation.circumstances);',
        replace: 'const at = configuredEnd(situation, secret);',
      },
      {
        file: 'src/rotation/checks/tidying.ts',
        find: 'const date = graceEnd(secret, observation.circumstances);',
        replace: 'const date = configuredEnd(situation, secret);',
      },
      {
        file: 'src/rotation/checks/tidying.ts',
        find: 'function retirementHold(',
        replace: `function configuredEnd({ observation: { terms, circumstances } }: Situation, secret: SecretRecord): number | null {
  const end = graceEnd(secret, circumstances);
  if (end === null || secret.retireRequested || terms.kind !== 'managed') return end;
  return end - (secret.grace ?? 0) + terms.policy.grace;
}

function retirementHold(`,
      },
    ],
    expects: ['S2'],
    seeds: [170],
  },
  {
    name: 'draw jitter at the gate',
    what: 'the wait after a failure is drawn anew at each look',
    edits: [
      {
        file: 'src/rotation/tend.ts',
        find: "import { conclude } from './conclude.ts';",
        replace: "import { backoff } from './backoff.ts';\nimport { conclude } from './conclude.ts';",
      },
      {
        file: 'src/rotation/tend.ts',
        find: 'const planned = plan(situation);',
        replace: `const { retryAt, failures } = situation.record;
    const drawn = retryAt === null ? null : retryAt - Math.round(world.random.next() * (backoff(failures, 1) / 2));
    const planned = plan({ ...situation, record: { ...situation.record, retryAt: drawn } });`,
      },
    ],
    expects: ['S10'],
    seeds: [7],
  },
  {
    name: 'settle before the last vault',
    what: 'a rotation is settled once a destination serves its secret',
    edits: [
      {
        file: 'src/rotation/conclude.ts',
        find: 'if (serving.length === present.length && holders.length > 0) return',
        replace: 'if (holders.length > 0) return',
      },
    ],
    expects: ['S12'],
    seeds: [1],
  },
  {
    name: 'trust a partial list',
    what: 'a list that breaks off in the middle, newest first, is taken for all of it',
    edits: [
      {
        file: 'test/simulation/services.ts',
        find: `        witness.listed(process, clientId, askedAt);
        return list;
      });`,
        replace: `        witness.listed(process, clientId, askedAt);
        return list;
      }).catch(async (error) => {
        if (error.fault !== 'malformed') throw error;
        const list = await issuer.listSecrets(clientId);
        return list.slice(-Math.ceil(list.length / 2));
      });`,
      },
    ],
    expects: ['S2', 'S8', 'S12', 'S14'],
    seeds: [20, 134],
  },
  {
    name: 'take an error for an empty list',
    what: 'where the secrets cannot be listed, there are none',
    edits: [
      {
        file: 'src/rotation/observe.ts',
        find: 'return { secrets: null, issuerError: { reason: failureReason(error), message: error.message } };',
        replace: 'return { secrets: [], issuerError: null };',
      },
    ],
    expects: ['S8', 'S12', 'S14'],
    seeds: [209],
  },
  {
    name: 'lose the tombstone',
    what: 'the id of an abandoned rotation whose POST may land once more is not watched',
    edits: [
      {
        file: 'src/rotation/ending.ts',
        find: 'watchUntil: rotation.sentAt === null ? null : rotation.sentAt + timing.requestLifetime + timing.listLag,',
        replace: 'watchUntil: null,',
      },
    ],
    expects: ['L2'],
    seeds: [115],
  },
  {
    name: 'leave what it lives on alone',
    what: 'the secret of its own client is renewed by nobody',
    edits: [
      {
        file: 'src/rotation/need.ts',
        find: "if (terms.kind !== 'managed') return null;\n  const now",
        replace: "if (terms.kind !== 'managed' || observation.isOwnClient) return null;\n  const now",
      },
    ],
    expects: ['S16'],
    seeds: [6],
  },
  {
    name: 'write the ledger after the effect',
    what: 'a deletion is recorded once it is done',
    edits: [
      {
        file: 'src/rotation/retire.ts',
        find: '  if (!(await world.ledger.commit({ credentials: [sent] }))) return;\n',
        replace: '',
      },
      {
        file: 'src/rotation/retire.ts',
        find: 'const outcome = await issuer.deleteSecret(key.clientId, proof.secretId, limit.signal);\n',
        replace: `const outcome = await issuer.deleteSecret(key.clientId, proof.secretId, limit.signal);
    if (!(await world.ledger.commit({ credentials: [sent] }))) return;
`,
      },
    ],
    expects: ['S7'],
    seeds: [1],
  },
  {
    name: 'record a delivery after its first write',
    what: 'a crash between the write and its record leaves a served secret that is taken for a leftover',
    edits: [
      {
        file: 'src/rotation/steps/deliver.ts',
        find: '  await tenure.advance(\n    {\n',
        replace: '  const record = () => tenure.advance(\n    {\n',
      },
      {
        file: 'src/rotation/steps/deliver.ts',
        find: "    left = left.filter((each) => results.get(each)?.outcome === 'failed');\n",
        replace: `    if (attempt === 1) await record();
    left = left.filter((each) => results.get(each)?.outcome === 'failed');
`,
      },
    ],
    expects: ['S1', 'S2', 'S3'],
    seeds: [207, 148],
  },
];

/** All that is planted, one at a time. */
export const PLANTED_BUGS: readonly PlantedBug[] = [...MISTAKES, ...UNDONE_MENDS];
