import type { App, HttpContext } from './context.ts';
import { aliveSchema, metricsSchema, problems, readySchema } from './output.ts';

/** Liveness, readiness and metrics: the routes that need no token. */
export function addHealthRoutes(app: App, { daemon, metrics }: HttpContext): void {
  const config = { access: 'public' } as const;
  const health = { ...config, unlimited: true } as const;

  for (const [url, operationId] of [
    ['/livez', 'isAlive'],
    ['/healthz', 'isHealthy'],
  ] as const) {
    const schema = { operationId, summary: 'Whether it lives', response: { 200: aliveSchema, ...problems } };
    app.get(url, { config: health, schema }, () => ({ status: 'ok' as const }));
  }

  app.get(
    '/readyz',
    {
      config: health,
      schema: {
        operationId: 'isReady',
        summary: 'Whether it can work',
        response: { ...problems, 200: readySchema, 503: readySchema },
      },
    },
    async (_request, reply) => {
      const reasons = await daemon.unready();
      if (reasons.length === 0) return { status: 'ok' as const, reasons };
      return reply.code(503).send({ status: 'unready', reasons });
    },
  );

  app.get(
    '/metrics',
    {
      config,
      schema: {
        operationId: 'getMetrics',
        summary: 'Metrics, for Prometheus',
        produces: ['text/plain'],
        response: { ...problems, 200: metricsSchema },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()),
  );
}
