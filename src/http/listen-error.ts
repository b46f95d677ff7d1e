import { RekeydError } from '../domain/errors.ts';

/** The HTTP interface cannot be opened: the message says where and what to do. */
export class ListenError extends RekeydError {
  override readonly name = 'ListenError';
  readonly code = 'http.listen';
}

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already: stop it, or choose another http.port',
  EACCES: 'this user may not: choose an http.port above 1023',
  EADDRNOTAVAIL: 'this machine has no such address: correct http.host',
  ENOTFOUND: 'the name is not known: correct http.host',
};

/** Says why `place` cannot be listened on. */
export function listenError(place: string, error: unknown): ListenError {
  if (error instanceof ListenError) return error;
  const code = (error as NodeJS.ErrnoException | null)?.code ?? 'unknown cause';
  return new ListenError(`http: cannot listen on ${place}: ${CAUSES[code] ?? code}`);
}
