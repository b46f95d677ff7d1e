import { formatInstant } from '../domain/time.ts';
import { callerOf } from './access.ts';
import type { App, HttpContext } from './context.ts';
import { emptyBody, pauseBody, resumeBody } from './input.ts';
import { pauseSchema, problems, scanSchema, statusSchema } from './output.ts';
import { endOf } from './until.ts';

/** What concerns the daemon as a whole: status, scan, the pause of everything. */
export function addStatusRoutes(app: App, { daemon, clock, log }: HttpContext): void {
  app.get(
    '/v1/status',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'getStatus',
        summary: 'How the daemon as a whole is',
        response: { 200: statusSchema, ...problems },
      },
    },
    () => daemon.status(),
  );

  app.post(
    '/v1/scan',
    {
      config: { access: 'operator' },
      schema: { operationId: 'scan', summary: 'Scan now', body: emptyBody, response: { 202: scanSchema, ...problems } },
    },
    (request, reply) => {
      const { scanId } = daemon.scan();
      log.info('http-scan', 'a scan was asked for', { scanId, actor: callerOf(request).actor });
      void reply.code(202);
      return { scanId };
    },
  );

  app.post(
    '/v1/pause',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'pauseAll',
        summary: 'Pause everything',
        body: pauseBody,
        response: { 200: pauseSchema, ...problems },
      },
    },
    (request) => {
      const { actor } = callerOf(request);
      const until = endOf(request.body?.until, clock.now());
      const ends = until === null ? null : formatInstant(until);
      log.info('http-pause', 'a pause of everything was asked for', { actor, until: ends });
      return daemon.pause(null, { until, note: request.body?.note ?? null, actor });
    },
  );

  app.post(
    '/v1/resume',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'resumeAll',
        summary: 'End the pause of everything',
        body: resumeBody,
        response: { 200: pauseSchema, ...problems },
      },
    },
    (request) => {
      const { actor } = callerOf(request);
      log.info('http-resume', 'the end of the pause of everything was asked for', { actor });
      return daemon.resume(null, actor);
    },
  );
}
