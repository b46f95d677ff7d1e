import { callerOf } from './access.ts';
import type { App, HttpContext } from './context.ts';
import { emptyBody, rotationParams, rotationsQuery } from './input.ts';
import { listed } from './listing.ts';
import { pageOf, problems, rotationSchema } from './output.ts';
import { HttpProblem } from './problem.ts';

/** Rotations: the history, and the end of a grace. */
export function addRotationRoutes(app: App, { daemon, log }: HttpContext): void {
  app.get(
    '/v1/rotations',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'listRotations',
        summary: 'Rotations, newest first, by page',
        querystring: rotationsQuery,
        response: { 200: pageOf(rotationSchema), ...problems },
      },
    },
    ({ query: { limit, cursor, issuer, clientId, state } }) => {
      const filter = {
        ...(issuer === undefined ? {} : { issuer }),
        ...(clientId === undefined ? {} : { clientId }),
        ...(state === undefined ? {} : { state }),
      };
      return listed(cursor, (size, from) => daemon.rotations(filter, size ?? limit, from));
    },
  );

  app.get(
    '/v1/rotations/:id',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'getRotation',
        summary: 'One rotation, with its steps',
        params: rotationParams,
        response: { 200: rotationSchema, ...problems },
      },
    },
    async ({ params: { id } }) => {
      const view = await daemon.rotation(id);
      if (view === null) throw new HttpProblem('not-found', 'The ledger knows no such rotation.');
      return view;
    },
  );

  app.post(
    '/v1/rotations/:id/retire',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'retire',
        summary: 'End the grace now',
        params: rotationParams,
        body: emptyBody,
        response: { 202: rotationSchema, ...problems },
      },
    },
    async (request, reply) => {
      const { actor } = callerOf(request);
      const { id } = request.params;
      log.info('http-retire', 'the end of a grace was asked for', { rotationId: id, actor });
      const view = await daemon.retire(id, actor);
      return reply.code(202).header('location', `/v1/rotations/${view.id}`).send(view);
    },
  );
}
