import type { App, HttpContext } from './context.ts';
import { aliveSchema, metricsSchema, problems, readySchema } from './output.ts';

/** Liveness, readiness and metrics: the routes that need no token. */
export function addHealthRoutes(app: App, { daemon, metrics }: HttpContext): void {
  const config = { access: 'public' } as const;

  for (const url of ['/livez', '/healthz']) {
    app.get(url, { config, schema: { response: { 200: aliveSchema, ...problems } } }, () => ({
      status: 'ok' as const,
    }));
  }

  app.get(
    '/readyz',
    { config, schema: { response: { ...problems, 200: readySchema, 503: readySchema } } },
    async (_request, reply) => {
      const reasons = await daemon.unready();
      if (reasons.length === 0) return { status: 'ok' as const, reasons };
      return reply.code(503).send({ status: 'unready', reasons });
    },
  );

  app.get('/metrics', { config, schema: { response: { ...problems, 200: metricsSchema } } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.render()),
  );
}
