import { join } from 'node:path';
import { GRACE, LIST_LAG, RENEWAL } from './bench-config.ts';
import type { ScanFigures } from './daemon-process.ts';
import { compareRounds } from './figures.ts';
import type { Assertion, Comparison, Round } from './figures.ts';
import { Scene } from './scene.ts';
import { addEffort, NO_EFFORT } from './stopwatch.ts';
import { decryptions, encryptions, NO_WORK, sum, total } from './work.ts';
import type { Work } from './work.ts';

export interface ComparisonOptions {
  readonly folder: string;
  readonly rounds: number;
  readonly profiles: string | null;
  readonly progress: (text: string) => void;
}

export interface Compared {
  readonly comparison: Comparison;
  readonly assertions: readonly Assertion[];
}

/** A scan over `all` credentials of which `due` are due for renewal, with the renewals; then one with nothing due. */
export async function compareScan(
  all: number,
  due: number,
  { folder, rounds, profiles, progress }: ComparisonOptions,
): Promise<Compared & { readonly idle: ScanFigures }> {
  progress(`scan: first contact with ${all} credentials`);
  const groups = [
    { credentials: due, description: 'due-{n}' },
    { credentials: all - due, description: 'app-{n}' },
  ];
  const scene = await Scene.open({ folder: join(folder, 'scan'), groups, due, profiles });
  try {
    const assertions: Assertion[] = [];
    const measured: Round[] = [];
    let work = NO_WORK;
    for (let round = 0; round <= rounds; round += 1) {
      progress(`scan: round ${round} of ${rounds}`);
      await scene.advance(RENEWAL);
      const scan = await scene.daemon.scan();
      const bare = await scene.bare(scan.work);
      assertions.push(equal(`a scan replaces ${due} secrets`, scan.work.requests['create-secret'] ?? 0, due));
      // the first round warms both up
      if (round > 0) measured.push({ daemon: scan, bare });
      work = scan.work;
      await finishRotations(scene);
    }
    await scene.emulator.takeRequests();
    const idle = await scene.daemon.scan();
    const requests = await scene.emulator.takeRequests();
    assertions.push(
      equal('a scan with nothing due makes one list call', JSON.stringify(requests), '{"listCredentials":1}'),
      equal('a scan with nothing due touches no vault', total(idle.work.vaultCalls), 0),
      equal('a scan with nothing due writes nothing', idle.work.commits, 0),
    );
    return { comparison: comparison(`scan, ${due} due`, all, measured, work), assertions, idle };
  } finally {
    await scene.close();
  }
}

/** Full rotations, from the intent to the deletion of what was replaced, confirmed by a later list. */
export async function compareRotation(
  credentials: number,
  { folder, rounds, profiles, progress }: ComparisonOptions,
): Promise<Compared> {
  progress(`rotation: first contact with ${credentials} credentials`);
  const groups = [{ credentials, description: 'due-{n}' }];
  const scene = await Scene.open({ folder: join(folder, 'rotation'), groups, due: credentials, profiles });
  try {
    const assertions: Assertion[] = [];
    const measured: Round[] = [];
    let work = NO_WORK;
    for (let round = 0; round <= rounds; round += 1) {
      progress(`rotation: round ${round} of ${rounds}`);
      await scene.advance(RENEWAL);
      const scans = [await scene.daemon.scan(), ...(await finishRotations(scene))];
      work = scans.map((each) => each.work).reduce(sum, NO_WORK);
      const bare = await scene.bare(work);
      if (round > 0) measured.push({ daemon: scans.reduce(addEffort, NO_EFFORT), bare });
    }
    const { states, rotations } = await scene.daemon.look();
    const finished = credentials * (rounds + 2);
    assertions.push(
      equal('every credential is well afterwards', states['ok'] ?? 0, credentials),
      equal('every rotation is done', JSON.stringify(rotations), `{"done":${finished}}`),
      // its own and the one made by hand, which is left alone
      equal(
        'nothing is left at the issuer of what was replaced',
        JSON.stringify(await scene.emulator.secretsPerCredential()),
        `{"2":${credentials}}`,
      ),
    );
    return { comparison: comparison('full rotation', credentials, measured, work), assertions };
  } finally {
    await scene.close();
  }
}

/** The issuer's `Date` tells whole seconds: its clock is taken to be up to half a second behind, and the earlier one counts. */
const CLOCK_MARGIN = 1_000;

/** The grace passes and what was replaced is deleted; the list lag passes and that is confirmed. */
async function finishRotations(scene: Scene): Promise<ScanFigures[]> {
  await scene.advance(GRACE + CLOCK_MARGIN);
  const retiring = await scene.daemon.scan();
  await scene.advance(LIST_LAG + 1);
  return [retiring, await scene.daemon.scan()];
}

function comparison(name: string, credentials: number, rounds: readonly Round[], work: Work): Comparison {
  return {
    name,
    credentials,
    ...compareRounds(rounds),
    requests: total(work.requests),
    commits: work.commits,
    encryptions: encryptions(work),
    decryptions: decryptions(work),
  };
}

function equal<T extends string | number>(name: string, saw: T, wanted: T): Assertion {
  return { name, holds: saw === wanted, saw: String(saw) };
}
