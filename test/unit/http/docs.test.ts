import { readFile } from 'node:fs/promises';
import { fastify } from 'fastify';
import { describe, expect, it } from 'vitest';
import type { App } from '../../../src/http/context.ts';
import { checkInput, writeAnswer } from '../../../src/http/input-check.ts';
import type { ZodTypes } from '../../../src/http/input-check.ts';
import { PROBLEMS } from '../../../src/http/problem.ts';
import { addRoutes } from '../../../src/http/routes.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { EventFeed } from '../../../src/telemetry/feed.ts';
import { silentEvents } from '../../../src/telemetry/telling.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { fakeDaemon } from './fake-daemon.ts';

const page = await readFile(new URL('../../../docs/http.md', import.meta.url), 'utf8');

interface Route {
  readonly name: string;
  readonly access: string | undefined;
  readonly statuses: readonly string[];
}

function allRoutes(): Route[] {
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
  addRoutes(app, { ...createManualPorts(), daemon: fakeDaemon().daemon, log: silentLog, metrics, events, feed });
  return routes;
}

describe('docs/http.md', () => {
  it('lists every route with its role, and no other', () => {
    const rows = [...page.matchAll(/^\| `(GET|POST) (\/[^`]*)` +\| (-|viewer|operator) +\|/gm)];
    const documented = rows.map(([, method = '', path = '', role = '']) => [
      `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
      role === '-' ? 'public' : role,
    ]);
    const actual = allRoutes().map(({ name, access }) => [name, access]);
    expect(documented.map(String).sort()).toEqual(actual.map(String).sort());
  });

  it('lists every problem with its status, and no other', () => {
    const documented = [...page.matchAll(/^\| `([\w-]+)` +\| (\d{3}) +\|/gm)].map(([, name = '', status = '']) => [
      name,
      Number(status),
    ]);
    expect(documented).toEqual(Object.entries(PROBLEMS).map(([name, { status }]) => [name, status]));
  });
});

describe('every route', () => {
  it('has a schema for what it answers, errors included, so that nothing unlisted gets out', () => {
    for (const { name, statuses } of allRoutes()) {
      expect(statuses, name).toEqual(expect.arrayContaining(['4xx', '5xx']));
      expect(
        statuses.filter((status) => status.startsWith('2')),
        name,
      ).toHaveLength(1);
    }
  });
});
