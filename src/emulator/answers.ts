import type { FastifyReply, FastifyRequest } from 'fastify';
import { badGatewayPage } from './bad-gateway-page.ts';
import type { FaultRule } from './faults.ts';
import { Problem } from './problem.ts';

/** What an operation answers. */
export interface Answer {
  readonly status: number;
  /** An object that is serialized, JSON that is ready, or null: no body. */
  readonly body: object | Buffer | null;
}

/** Answers with what an operation says. */
export function send(reply: FastifyReply, { status, body }: Answer): FastifyReply {
  reply.code(status);
  if (Buffer.isBuffer(body)) reply.type('application/json; charset=utf-8');
  return body === null ? reply.send() : reply.send(body);
}

/** Answers with a success whose JSON ends in the middle. */
export function sendTorn(reply: FastifyReply, { status, body }: Answer): FastifyReply {
  const whole = Buffer.isBuffer(body) ? body.toString() : JSON.stringify(body ?? { status });
  return reply
    .code(status === 204 ? 200 : status)
    .type('application/json; charset=utf-8')
    .send(whole.slice(0, Math.max(1, Math.floor(whole.length / 2))));
}

/** Answers with the error that a fault stands for. */
export function sendFault(request: FastifyRequest, reply: FastifyReply, fault: FaultRule): FastifyReply {
  if (fault.retryAfter !== undefined) reply.header('retry-after', fault.retryAfter);
  switch (fault.kind) {
    case 'throttle':
      return sendProblem(request, reply, new Problem(429, 'Too many requests.'));
    case 'unauthorized':
      return sendProblem(request, reply, new Problem(401, 'The access token is not valid.'));
    case 'forbidden':
      return sendProblem(request, reply, new Problem(403, 'This client has no right to do this.'));
    case 'bad-gateway':
      return reply.code(502).type('text/html').send(badGatewayPage);
    default:
      return sendProblem(request, reply, new Problem(503, 'The service is not available.'));
  }
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer error="invalid_token"');
  return reply
    .code(problem.status)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem.details(pathOf(request))));
}

/** What Fastify throws for a body or a path that it does not take becomes what ASP.NET would say. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { statusCode, validation } = error as { statusCode?: number; validation?: readonly Finding[] };
  if (validation !== undefined) {
    const found = validation.map(({ instancePath, message }) => [
      `$${instancePath.replaceAll('/', '.')}`,
      [message ?? 'The value is not valid.'],
    ]);
    return new Problem(400, 'The request is invalid.', Object.fromEntries(found) as Record<string, string[]>);
  }
  if (statusCode === 415) return new Problem(415, 'The body must be application/json.');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem(statusCode, 'The request cannot be read.');
  }
  return new Problem(500, 'An error occurred while processing your request.');
}

interface Finding {
  readonly instancePath: string;
  readonly message?: string;
}

/** The path without the query: what may be logged. */
export function pathOf(request: FastifyRequest): string {
  return request.url.replace(/\?.*$/s, '');
}
