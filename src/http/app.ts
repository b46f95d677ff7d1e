import type { Socket } from 'node:net';
import { fastify } from 'fastify';
import type { ConnectionError, FastifyInstance, FastifyRequest, FastifyServerOptions } from 'fastify';
import { safeMessage } from '../domain/errors.ts';
import type { Duration } from '../domain/time.ts';
import { SECOND } from '../domain/time.ts';
import type { Role } from '../config/settings.ts';
import { authorize } from './access.ts';
import { addressOf } from './address.ts';
import type { Identify } from './access.ts';
import type { AddressLimiter } from './address-limiter.ts';
import type { App, HttpContext } from './context.ts';
import { auditActs } from './audit.ts';
import { toProblem } from './error-answer.ts';
import { checkInput, writeAnswer } from './input-check.ts';
import type { ZodTypes } from './input-check.ts';
import { acceptJson } from './json-body.ts';
import { rememberPaths } from './other-methods.ts';
import type { FindPath } from './other-methods.ts';
import { describeRoutes } from './openapi.ts';
import { HttpProblem, PROBLEM_TYPE, sendProblem } from './problem.ts';

/** How long a client may take (S10). */
export interface HttpTimeouts {
  /** For the headers of a request, and for a new connection to say anything. */
  readonly headers: Duration;
  /** For a whole request. */
  readonly request: Duration;
  /** For a connection on which nothing happens. */
  readonly idle: Duration;
  /** For the daemon to answer. */
  readonly answer: Duration;
}

export const TIMEOUTS: HttpTimeouts = {
  headers: 10 * SECOND,
  request: 15 * SECOND,
  idle: 75 * SECOND,
  answer: 30 * SECOND,
};

// Not by import: that reads all exports of node:http, of which WebSocket loads the whole of fetch: 50 ms of each start.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

const BODY_LIMIT = 16 * 1_024;
/** Far above what callers need, and some 10 KB each: a few thousand idle ones must not keep a health check out. */
const MAX_CONNECTIONS = 4_000;

/** On every answer: nothing is kept by caches, nothing is guessed by browsers. There is no CORS: no page may ask. */
const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
} as const;

type Compilers = NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>;

/** Named from the first, not set later: Fastify would load its own, ajv and fast-json-stringify, to have them replaced. */
const COMPILERS = {
  buildValidator: () => checkInput,
  buildSerializer: () => writeAnswer,
} as unknown as Compilers; // Fastify's types know no schemas but JSON Schema

/** One way in. */
export interface WayIn {
  readonly identify: Identify;
  readonly timeouts: HttpTimeouts;
  /** Null: not limited, as on the local socket. */
  readonly limiter: AddressLimiter | null;
  /** Proxies whose word on who asks is taken; see {@link addressOf}. Absent: none. */
  readonly trustProxy?: readonly string[];
  readonly addRoutes: (app: App, context: HttpContext) => void;
}

/** Builds the interface for one way in; `identify` says who its callers are. It does not listen yet. */
export function createApp(
  context: HttpContext,
  { identify, timeouts, limiter, trustProxy = [], addRoutes }: WayIn,
): App {
  const { log } = context;
  const app: App = fastify({
    logger: false,
    trustProxy: trustProxy.length === 0 ? false : [...trustProxy],
    requestIdHeader: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: timeouts.request,
    connectionTimeout: timeouts.idle,
    keepAliveTimeout: timeouts.idle,
    handlerTimeout: timeouts.answer,
    // While closing, what is asked on open connections is still answered, as everything else, with a problem or not.
    return503OnClosing: false,
    schemaController: { compilersFactory: COMPILERS },
    routerOptions: { maxParamLength: 3_000 },
    http: {
      headersTimeout: Math.min(timeouts.headers, timeouts.request),
      connectionsCheckingInterval: Math.min(timeouts.headers / 4, 5 * SECOND),
      // Node's own answer has no body; see refuseUnnamedHost.
      requireHostHeader: false,
    },
    frameworkErrors: (error, _request, reply) => {
      sendProblem(reply.headers(HEADERS), toProblem(error));
    },
    clientErrorHandler: answerBrokenClient,
  }).withTypeProvider<ZodTypes>();
  app.server.maxConnections = MAX_CONNECTIONS;
  answerExpectations(app);
  acceptJson(app, BODY_LIMIT);

  let findPath: FindPath = () => null;
  app.decorateRequest('caller', null);
  app.decorate('isStillAllowed', async (request: FastifyRequest, access: Role) => {
    try {
      authorize(await identify(request), access);
      return true;
    } catch (error) {
      // what cannot be known just now is left as it was
      return !(error instanceof HttpProblem && error.status < 500);
    }
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    refuseUnnamedHost(request);
    if (limiter !== null && request.routeOptions.config.unlimited !== true) refuseFlood(limiter, request);
    const { method, url, routeOptions } = request;
    const other = findPath(method, url, request.is404 ? undefined : routeOptions.url);
    if (request.is404 && other === null) return;
    const access = other?.access ?? request.routeOptions.config.access;
    if (access === undefined) throw new Error('a route does not say who may use it');
    if (access !== 'public') {
      request.caller = await identify(request);
      authorize(request.caller, access);
    }
    // before a body is looked at: what is wrong with it does not matter here
    if (other !== null) throw other.refusal();
  });
  app.addHook('onResponse', async (request, reply) => {
    log.debug('http-request', 'a request was answered', {
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      actor: request.caller?.actor ?? null,
    });
  });
  auditActs(app, context.events);
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) {
      log.error('http-failed', 'a request could not be answered', {
        method: request.method,
        route: request.routeOptions.url ?? null,
        status: problem.status,
        error: safeMessage(error),
      });
    }
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, new HttpProblem('not-found', 'There is no such path.')),
  );

  describeRoutes(app, () => {
    findPath = rememberPaths(app, () => addRoutes(app, context));
  });
  return app;
}

/** Before anything is asked of the caller: a flood of guesses costs next to nothing. */
function refuseFlood(limiter: AddressLimiter, request: FastifyRequest): void {
  const wait = limiter.take(addressOf(request) ?? '');
  if (wait === 0) return;
  throw new HttpProblem('rate-limited', 'Too many requests came from this address.', {
    headers: { 'retry-after': String(Math.ceil(wait / SECOND)) },
  });
}

/** RFC 9112: a request of HTTP/1.1 without a host is a bad one. */
function refuseUnnamedHost({ raw, headers }: FastifyRequest): void {
  if (raw.httpVersion !== '1.1' || headers.host !== undefined) return;
  throw new HttpProblem('bad-request', 'The header `host` is missing.');
}

/** Requests that Node's parser gives up on never become a request of Fastify's: the answer is written by hand. */
function answerBrokenClient(this: FastifyInstance, error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = toProblem(error);
  const known = problem.problem === 'internal' ? new HttpProblem('bad-request', 'This is not HTTP.') : problem;
  socket.end(rawAnswer(known), () => socket.destroy());
}

/** Of expectations HTTP knows only `100-continue`; Node's own answer to others has no body. */
function answerExpectations(app: App): void {
  app.server.on('checkExpectation', ({ socket }) => {
    socket.end(rawAnswer(new HttpProblem('expectation-failed', 'Only the expectation `100-continue` is known.')));
  });
}

function rawAnswer(problem: HttpProblem): string {
  const body = JSON.stringify(problem.body());
  const headers = {
    ...HEADERS,
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`, ...lines, '', body].join('\r\n');
}
