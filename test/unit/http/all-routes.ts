import { fastify } from 'fastify';
import type { App } from '../../../src/http/context.ts';
import { checkInput, writeAnswer } from '../../../src/http/input-check.ts';
import type { ZodTypes } from '../../../src/http/input-check.ts';
import { addRoutes } from '../../../src/http/routes.ts';
import { EventFeed } from '../../../src/telemetry/feed.ts';
import { LogLevelSwitch } from '../../../src/telemetry/log-level.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { silentEvents } from '../../../src/telemetry/telling.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { fakeDaemon } from './fake-daemon.ts';

export interface Route {
  readonly name: string;
  readonly access: string | undefined;
  readonly statuses: readonly string[];
}

/** All routes but HEAD, as they are added. */
export function allRoutes(): Route[] {
  const routes: Route[] = [];
  const app: App = fastify().withTypeProvider<ZodTypes>();
  app.setValidatorCompiler(checkInput);
  app.setSerializerCompiler(writeAnswer);
  app.addHook('onRoute', ({ method, url, config, schema }) => {
    const statuses = Object.keys(schema?.response ?? {});
    if (method !== 'HEAD') routes.push({ name: `${String(method)} ${url}`, access: config?.access, statuses });
  });
  const metrics = { contentType: 'text/plain', render: () => Promise.resolve('') };
  const events = silentEvents;
  const feed = new EventFeed({ now: () => 0 }, 'epoch');
  const ports = createManualPorts();
  const logLevel = new LogLevelSwitch({ ...silentLog, level: 'info' }, { ...ports, events });
  addRoutes(app, { ...ports, daemon: fakeDaemon().daemon, log: silentLog, logLevel, metrics, events, feed });
  return routes;
}
