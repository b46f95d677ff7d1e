import { z } from 'zod';
import type { BulkPreview, BulkView } from '../daemon/bulk/bulk-api.ts';
import { BULK_FATES, BULK_STATES } from '../domain/bulk.ts';
import { CREDENTIAL_STATES } from '../domain/credential-state.ts';
import { REASONS } from '../domain/reason.ts';
import { callerOf } from './access.ts';
import { addressOf } from './address.ts';
import type { App, HttpContext } from './context.ts';
import { bulkBody, bulkParams, emptyBody, previewBody } from './input.ts';
import { problems } from './output.ts';
import { HttpProblem } from './problem.ts';

const textOrNull = z.string().nullable();
const reason = z.enum(REASONS);
const named = { issuer: z.string(), clientId: z.string(), name: z.string() };

const previewSchema: z.ZodType<BulkPreview, BulkPreview> = z.object({
  matched: z.int(),
  rotate: z.int(),
  skip: z.int(),
  skippedFor: z.record(z.string(), z.int()),
  inGrace: z.int(),
  atLeast: z.string(),
  digest: z.string(),
  items: z.array(
    z.object({
      ...named,
      state: z.enum(CREDENTIAL_STATES),
      action: z.enum(['rotate', 'skip']),
      reason: reason.nullable(),
      expires: textOrNull,
    }),
  ),
});

const bulkSchema: z.ZodType<BulkView, BulkView> = z.object({
  id: z.string(),
  state: z.enum(BULK_STATES),
  match: z.string(),
  grace: textOrNull,
  note: textOrNull,
  force: z.boolean(),
  actor: z.string(),
  from: z.string(),
  total: z.int(),
  counts: z.record(z.enum(BULK_FATES), z.int()),
  heldBy: reason.nullable(),
  unwell: z.array(z.object({ ...named, fate: z.enum(['failed', 'skipped']), reason, error: textOrNull })),
  startedAt: z.string(),
  finishedAt: textOrNull,
  cancelledBy: textOrNull,
});

/** The rotation of many credentials at once: a preview, a confirmation, how it goes, its end. */
export function addBulkRoutes(app: App, { daemon, log }: HttpContext): void {
  const viewer = { access: 'viewer' } as const;
  const operator = { access: 'operator' } as const;

  app.post(
    '/v1/bulk/preview',
    {
      config: operator,
      schema: {
        operationId: 'previewBulk',
        summary: 'What a bulk rotation would do',
        body: previewBody,
        response: { 200: previewSchema, ...problems },
      },
    },
    ({ body: { limit, ...wish } }) => daemon.previewBulk(wish, limit),
  );

  app.post(
    '/v1/bulk',
    {
      config: operator,
      schema: {
        operationId: 'startBulk',
        summary: 'Rotate many credentials, as previewed',
        body: bulkBody,
        response: { 202: bulkSchema, ...problems },
      },
    },
    async (request, reply) => {
      const { confirm, ...wish } = request.body;
      const by = { actor: callerOf(request).actor, from: addressOf(request) ?? 'socket' };
      const { match, force } = wish;
      log.warn('http-bulk', 'a bulk rotation was asked for', { match, force, confirm, ...by });
      const view = await daemon.startBulk(wish, confirm, by);
      return reply.code(202).header('location', `/v1/bulk/${view.id}`).send(view);
    },
  );

  app.get(
    '/v1/bulk',
    {
      config: viewer,
      schema: {
        operationId: 'listBulks',
        summary: 'The last bulk rotations, newest first',
        response: { 200: z.object({ items: z.array(bulkSchema).readonly() }), ...problems },
      },
    },
    async () => ({ items: await daemon.bulks() }),
  );

  app.get(
    '/v1/bulk/:bulkId',
    {
      config: viewer,
      schema: {
        operationId: 'getBulk',
        summary: 'How a bulk rotation goes',
        params: bulkParams,
        response: { 200: bulkSchema, ...problems },
      },
    },
    async ({ params: { bulkId } }) => {
      const view = await daemon.bulk(bulkId);
      if (view === null) throw new HttpProblem('not-found', 'The ledger knows no such bulk: the last ten are kept.');
      return view;
    },
  );

  app.post(
    '/v1/bulk/:bulkId/cancel',
    {
      config: operator,
      schema: {
        operationId: 'cancelBulk',
        summary: 'End a bulk rotation: what has begun goes on',
        params: bulkParams,
        body: emptyBody,
        response: { 200: bulkSchema, ...problems },
      },
    },
    (request) => daemon.cancelBulk(request.params.bulkId, callerOf(request).actor),
  );
}
