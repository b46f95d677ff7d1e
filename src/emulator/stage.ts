import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods, RouteShorthandOptions } from 'fastify';
import { asProblem, pathOf, send, sendFault, sendProblem, sendTorn } from './answers.ts';
import type { Answer } from './answers.ts';
import type { FaultKind, FaultRule, Faults, Operation } from './faults.ts';
import type { LoggedRequest, RequestLog } from './request-log.ts';
import { Problem } from './problem.ts';

export interface StagedRoute {
  readonly operation: Operation;
  readonly method: HTTPMethods;
  readonly path: string;
  readonly schema: NonNullable<RouteShorthandOptions['schema']>;
  /** Looks at the request before its body is read. @throws Problem */
  readonly admit?: (request: FastifyRequest) => void;
  /** Does what is asked. `quirk` is the fault that changes what is done, if any. @throws Problem */
  readonly perform: (request: FastifyRequest, quirk: FaultKind | null) => Answer | Promise<Answer>;
}

interface Trail {
  readonly fault: FaultRule | null;
  readonly entry: LoggedRequest;
  silent: boolean;
}

/** Where every operation is played: it logs each request and applies the fault that was decided for it. */
export class Stage {
  readonly #faults: Faults;
  readonly #log: RequestLog;
  readonly #now: () => number;
  readonly #trails = new WeakMap<FastifyRequest, Trail>();
  readonly #closing = new AbortController();
  readonly #report: (message: string) => void;

  constructor(
    app: FastifyInstance,
    parts: {
      readonly faults: Faults;
      readonly log: RequestLog;
      readonly now: () => number;
      readonly report: (message: string) => void;
    },
  ) {
    const { now } = parts;
    this.#faults = parts.faults;
    this.#log = parts.log;
    this.#now = now;
    this.#report = parts.report;
    app.addHook('onSend', async (_request, reply) => {
      reply.header('date', new Date(now()).toUTCString());
    });
    app.addHook('onResponse', async (request, reply) => {
      const trail = this.#trails.get(request);
      if (trail !== undefined && !trail.silent) trail.entry.status = reply.statusCode;
    });
    app.setErrorHandler(async (error, request, reply) => {
      const problem = asProblem(error);
      if (problem.status >= 500) this.#reportUnexpected(error);
      return sendProblem(request, reply, problem);
    });
    app.setNotFoundHandler(async (request, reply) =>
      sendProblem(request, reply, new Problem(404, 'There is nothing at this path.')),
    );
  }

  /** Registers an operation. */
  add(scope: FastifyInstance, route: StagedRoute): void {
    scope.route({
      method: route.method,
      url: route.path,
      schema: route.schema,
      onRequest: async (request, reply) => {
        const trail = await this.#begin(request, route);
        if (this.#answersAtOnce(trail, request, reply)) return reply;
        route.admit?.(request);
        return undefined;
      },
      handler: async (request, reply) => this.#play(route, request, reply),
    });
  }

  /** Drops late landings and lets waiting requests go. */
  close(): void {
    this.#closing.abort();
  }

  async #begin(request: FastifyRequest, { operation, method }: StagedRoute): Promise<Trail> {
    const { fault, latency } = this.#faults.decide(operation);
    const entry: LoggedRequest = {
      time: new Date(this.#now()).toISOString(),
      operation,
      method: String(method),
      path: pathOf(request),
      status: null,
      fault: fault?.kind ?? null,
      latency,
    };
    this.#log.add(entry);
    const trail: Trail = { fault, entry, silent: false };
    this.#trails.set(request, trail);
    if (latency > 0) await this.#wait(latency);
    return trail;
  }

  /** The faults that come before anything is looked at. */
  #answersAtOnce(trail: Trail, request: FastifyRequest, reply: FastifyReply): boolean {
    const { fault } = trail;
    switch (fault?.kind) {
      case 'reset':
        this.#reset(trail, request, reply);
        return true;
      case 'hang':
        trail.silent = true;
        reply.hijack();
        return true;
      case 'throttle':
      case 'unauthorized':
      case 'forbidden':
        sendFault(request, reply, fault);
        return true;
      case 'unavailable':
      case 'bad-gateway':
        if (!fault.applied) sendFault(request, reply, fault);
        return !fault.applied;
      default:
        return false;
    }
  }

  async #play(route: StagedRoute, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const trail = this.#trails.get(request);
    const fault = trail?.fault ?? null;
    if (trail !== undefined && fault?.kind === 'late-landing') {
      this.#reset(trail, request, reply);
      void this.#landLate(route, request, fault.delay);
      return reply;
    }
    const answer = await perform(route, request, fault?.kind ?? null);
    switch (fault?.kind) {
      case 'lost-answer':
        if (trail !== undefined) this.#reset(trail, request, reply);
        return reply;
      case 'unavailable':
      case 'bad-gateway':
        return sendFault(request, reply, fault);
      case 'malformed':
        return answer instanceof Problem ? sendProblem(request, reply, answer) : sendTorn(reply, answer);
      default:
        if (answer instanceof Problem) return sendProblem(request, reply, answer);
        return send(reply, answer);
    }
  }

  async #landLate(route: StagedRoute, request: FastifyRequest, delay: number): Promise<void> {
    await this.#wait(delay);
    if (this.#closing.signal.aborted) return;
    try {
      await perform(route, request, null); // whether it was refused then, nobody hears
    } catch (error) {
      this.#reportUnexpected(error);
    }
  }

  #reportUnexpected(error: unknown): void {
    const cause = error instanceof Error ? ('syscall' in error ? error.message : error.stack) : undefined;
    this.#report(`The emulator failed: ${cause ?? 'unknown cause'}`);
  }

  /** TCP RST: the caller sees ECONNRESET, as when a peer dies. */
  #reset(trail: Trail, request: FastifyRequest, reply: FastifyReply): void {
    trail.silent = true;
    reply.hijack();
    request.raw.socket.resetAndDestroy();
  }

  async #wait(milliseconds: number): Promise<void> {
    try {
      await sleep(milliseconds, undefined, { signal: this.#closing.signal });
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    }
  }
}

async function perform(
  route: StagedRoute,
  request: FastifyRequest,
  quirk: FaultKind | null,
): Promise<Answer | Problem> {
  try {
    return await route.perform(request, quirk);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}
