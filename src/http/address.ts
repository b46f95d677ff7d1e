import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

/**
 * Where a request comes from: the address of the connection or, behind a proxy that is trusted, what that says. What is no
 * address is not taken: a proxy passes on what it was sent. Null: it came over the local socket.
 */
export function addressOf({ ip, socket }: FastifyRequest): string | null {
  const connected = socket.remoteAddress ?? null;
  return connected !== null && isIP(ip) !== 0 ? ip : connected;
}
