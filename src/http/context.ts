import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { DaemonApi } from '../daemon/api.ts';
import type { MetricsPage } from '../daemon/gauges.ts';
import type { Clock, Ticker } from '../domain/ports.ts';
import type { Events } from '../telemetry/events.ts';
import type { EventFeed } from '../telemetry/feed.ts';
import type { LogLevelSwitch } from '../telemetry/log-level.ts';
import type { Log } from '../telemetry/log.ts';
import type { ZodTypes } from './input-check.ts';

/** What the routes work with. */
export interface HttpContext {
  readonly daemon: DaemonApi;
  readonly metrics: MetricsPage;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly ticker: Pick<Ticker, 'sleep'>;
  readonly log: Log;
  /** Where acts are told. */
  readonly events: Events;
  readonly logLevel: Pick<LogLevelSwitch, 'view' | 'set'>;
  /** What `GET /v1/events` passes on. */
  readonly feed: EventFeed;
}

/** A Fastify instance that takes zod schemas. */
export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypes>;
