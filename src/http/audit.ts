import type { FastifyRequest } from 'fastify';
import type { Events } from '../telemetry/events.ts';
import { addressOf } from './address.ts';
import type { App } from './context.ts';

/**
 * Tells of every act of a person, and of every try: who, what, from where, and what became of it. An act is a call of a
 * route that asks for an operator; reading is none.
 */
export function auditActs(app: App, events: Events): void {
  app.addHook('onResponse', (request, reply, done) => {
    // what is refused unread is not told: a flood would fill the log
    const unread = reply.statusCode === 429 && request.caller === null;
    if (request.routeOptions.config.access === 'operator' && !unread) tell(events, request, reply.statusCode);
    done();
  });
}

function tell(events: Events, request: FastifyRequest, status: number): void {
  const { issuer, clientId, id } = (request.params ?? {}) as Readonly<Record<string, unknown>>;
  events.tell({
    type: 'audit',
    actor: request.caller?.actor ?? null,
    act: `${request.method} ${request.routeOptions.url ?? ''}`,
    from: addressOf(request) ?? 'socket',
    issuer: textOrNull(issuer),
    clientId: textOrNull(clientId),
    rotationId: textOrNull(id),
    note: status < 400 ? noteOf(request.body) : null,
    status,
    outcome: status < 400 ? 'done' : status < 500 ? 'refused' : 'failed',
  });
}

/** Of a body that a schema let in; any other may hold anything. */
function noteOf(body: unknown): string | null {
  return typeof body === 'object' && body !== null && 'note' in body ? textOrNull(body.note) : null;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, 1_000) : null;
}
