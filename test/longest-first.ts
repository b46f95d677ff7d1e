import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/** Files that wait for processes for a quarter of a minute and more. */
export const LONG: readonly string[] = [
  'kill',
  'bulk',
  'once',
  'cli',
  'own-credential',
  'security',
  'docs',
  'rotate-wait',
  'reload-files',
  'sdk-loading',
  'http-acts',
  'ledger',
  'reload',
  'http-clients',
  'reload-killed',
  'stop',
  'output',
].map((name) => `test/process/${name}.test.ts`);

/**
 * Begins with the files that take longest. On a fresh machine vitest knows no times and goes by size: a short file that
 * waits for long would begin last, and the end of the run have nothing beside it.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONG.findIndex((each) => moduleId.endsWith(`/${each}`));
      return place === -1 ? LONG.length : place;
    };
    // their project comes last as a whole, and stays there
    const others = sorted.filter(({ project }) => project.name !== 'process');
    const processes = sorted.filter(({ project }) => project.name === 'process');
    return [...others, ...processes.sort((a, b) => rank(a) - rank(b))];
  }
}
