import { IssuerError } from '../../domain/errors.ts';
import type { RightReport } from '../../domain/rights.ts';
import type { Data8Api } from './api.ts';

const UNPROVEN = 'cannot be proven without writing';

/**
 * What `rekeyd check` prints about the issuer. It only reads; an issuer that cannot be reached is a line, not an error.
 * @throws the signal's reason.
 */
export async function reportRights(api: Data8Api, signal?: AbortSignal): Promise<readonly RightReport[]> {
  const listed = await attempt(() => api.listCredentials(signal));
  if (listed instanceof IssuerError && listed.fault !== 'forbidden') {
    return [{ right: 'reached', status: 'missing', hint: listed.message }];
  }
  const first = listed instanceof IssuerError ? undefined : listed[0];
  const secrets = first === undefined ? null : await attempt(() => api.listSecrets(first.clientId, signal));
  return [
    { right: 'reached', status: 'ok', hint: '' },
    judged('list-credentials', listed),
    secrets === null
      ? { right: 'list-secrets', status: 'unknown', hint: 'there is no credential to try it on' }
      : judged('list-secrets', secrets),
    ...['create-secret', 'update-secret', 'delete-secret'].map((right): RightReport => ({
      right,
      status: 'unknown',
      hint: UNPROVEN,
    })),
  ];
}

function judged(right: string, result: unknown): RightReport {
  if (!(result instanceof IssuerError)) return { right, status: 'ok', hint: '' };
  return { right, status: result.fault === 'forbidden' ? 'missing' : 'unknown', hint: result.message };
}

async function attempt<T>(ask: () => Promise<T>): Promise<T | IssuerError> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof IssuerError) return error;
    throw error;
  }
}
