import { entryNameProblem } from '../entry-name.ts';
import { MOST_OTHERS } from './mark-tags.ts';
import { destinationTags } from './options.ts';
import type { AwsOptions } from './options.ts';
import { MOST_TAGS, tagProblem } from './tag-text.ts';

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const MOST_NAME = 512;

/** Why a secret cannot have this name, or these tags with all placeholders replaced; null where it can. */
export function nameProblem(name: string, options: Readonly<Record<string, unknown>>): string | null {
  const problem = entryNameProblem(name);
  if (problem !== null) return problem;
  if (!/^[A-Za-z0-9/_+=.@-]+$/.test(name)) return 'AWS allows ASCII letters, digits and /_+=.@- in a name only';
  if (name.length > MOST_NAME) return `the name has ${name.length} characters; ${MOST_NAME} is the most`;
  for (const [key, value] of Object.entries(destinationTags(options))) {
    const wrong = tagProblem(key, value);
    if (wrong !== null) return `its tags cannot be used: ${wrong}`;
  }
  return null;
}

/** Why no secret can be made with the tags of its vault and its destination; null where one can. */
export function optionsProblem(options: Readonly<Record<string, unknown>>, vault?: AwsOptions): string | null {
  const count = Object.keys({ ...vault?.tags, ...destinationTags(options) }).length;
  return count <= MOST_OTHERS
    ? null
    : `its secret would be made with ${count} tags, those of the vault among them, and only ${MOST_OTHERS} of the ${MOST_TAGS} that AWS allows leave room for rekeyd's: use fewer`;
}
