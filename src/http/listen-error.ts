import { RekeydError } from '../domain/errors.ts';

/** The HTTP interface cannot be opened: the message says where and what to do. */
export class ListenError extends RekeydError {
  override readonly name = 'ListenError';
  readonly code = 'http.listen';
}

const CAUSES: Readonly<Record<'port' | 'socket', Readonly<Record<string, string>>>> = {
  port: {
    EADDRINUSE: 'something listens there already; stop it, or choose another http.port',
    EACCES: 'this user may not; choose an http.port above 1023',
    EADDRNOTAVAIL: 'this machine has no such address; correct http.host',
    ENOTFOUND: 'the name is not known; correct http.host',
  },
  socket: {
    EACCES: 'this user may not write there; choose another http.socket, or give it the folder',
    EROFS: 'the file system is read-only; choose another http.socket',
    ENOSPC: 'the disk is full',
    EEXIST: 'a part of the path is not a folder; correct http.socket',
    ENOTDIR: 'a part of the path is not a folder; correct http.socket',
  },
};

/** Says why a port or socket cannot be listened on, and what to do. */
export function listenError(kind: 'port' | 'socket', place: string, error: unknown): ListenError {
  if (error instanceof ListenError) return error;
  const code = (error as NodeJS.ErrnoException | null)?.code ?? 'for an unknown cause';
  return new ListenError(`http: cannot listen on ${place}: ${CAUSES[kind][code] ?? code}`);
}
