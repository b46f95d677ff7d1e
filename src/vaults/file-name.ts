import { encodeEntryName, entryNameProblem } from './entry-name.ts';

/** What a file system takes as one name, in bytes: NAME_MAX of Linux and macOS. */
const MAX_FILE_NAME = 255;

/** Why an entry of the vault `file` cannot have this name, which becomes that of a folder; null where it can. It does not throw. */
export function fileNameProblem(name: string): string | null {
  const problem = entryNameProblem(name);
  if (problem !== null) return problem;
  const length = encodeEntryName(name).length;
  return length <= MAX_FILE_NAME
    ? null
    : `the name needs ${length} bytes as a file name (capitals and special characters count 3); ${MAX_FILE_NAME} is the most`;
}
