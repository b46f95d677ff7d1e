import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { systemCode } from '../system-error.ts';
import { Unusable } from './refusal.ts';

/** The kinds of credentials that the library understands: https://google.aip.dev/auth/4110 */
const KINDS = [
  'service_account',
  'authorized_user',
  'external_account',
  'external_account_authorized_user',
  'impersonated_service_account',
] as const;

const keySchema = z.looseObject({ type: z.enum(KINDS) });

/** A credentials file of Google, as it stands. @throws Unusable where it cannot be used. */
export async function readKeyFile(path: string): Promise<z.output<typeof keySchema>> {
  let raw: unknown;
  try {
    raw = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Unusable(`keyFile '${path}' ${error instanceof SyntaxError ? 'is not JSON' : why(error)}`);
  }
  const key = keySchema.safeParse(raw);
  if (key.success) return key.data;
  throw new Unusable(`keyFile '${path}' has a type that is none of ${KINDS.join(', ')}`);
}

function why(error: unknown): string {
  return `cannot be read (${systemCode(error) ?? 'unknown error'})`;
}
