import { z } from 'zod';
import { encodeEntryName, entryNameProblem } from './entry-name.ts';

const MAX_FILE_NAME = 255;
const SIDECAR_ENDING = '.json';

const id = (what: string) =>
  z
    .union([z.number().int().nonnegative(), z.string().regex(/^\d+$/).transform(Number)])
    .nullable()
    .default(null)
    .describe(`The ${what} of the files, as a number; null: rekeyd's own.`);

/** How a folder of plain files is configured. */
export const directoryOptions = z.strictObject({
  path: z.string().min(1).describe('The folder that consumers read; made where it is missing.'),
  mode: z
    .string()
    .regex(
      /^0?[4-7][0-7][0145]$/,
      'must be an octal mode in quotes such as "0640": the owner may read, others may not write',
    )
    .default('0600')
    .describe('The mode of the files, in quotes.'),
  uid: id('owner'),
  gid: id('group'),
});

/** Why `name` cannot be a file below the folder, with its marks beside it; null: it can. */
export function directoryNameProblem(name: string): string | null {
  const problem = entryNameProblem(name);
  if (problem !== null) return problem;
  if (name.split('/').some((segment) => segment.startsWith('.'))) return 'a part of the name begins with a dot';
  const longest = Math.max(...name.split('/').map((segment) => Buffer.byteLength(segment)));
  const sidecar = encodeEntryName(name).length + SIDECAR_ENDING.length;
  return Math.max(longest, sidecar) <= MAX_FILE_NAME
    ? null
    : `the name is too long for a file name of ${MAX_FILE_NAME} bytes`;
}
