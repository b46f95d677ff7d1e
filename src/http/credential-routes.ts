import type { FastifyRequest } from 'fastify';
import type { CredentialKey } from '../ledger/records.ts';
import { callerOf } from './access.ts';
import type { App, HttpContext } from './context.ts';
import { onceOf, repeatableHeaders } from './idempotency.ts';
import { credentialParams, credentialsQuery, forgetBody, pauseBody, resumeBody, rotateBody } from './input.ts';
import { listed } from './listing.ts';
import { credentialSchema, pageOf, pauseSchema, problems, rotateSchema } from './output.ts';
import { endOf } from './until.ts';
import { HttpProblem } from './problem.ts';

const ONE = '/v1/credentials/:issuer/:clientId';

/** Credentials: what is known of them, and what can be done with one. */
export function addCredentialRoutes(app: App, { daemon, clock, log }: HttpContext): void {
  const viewer = { access: 'viewer' } as const;
  const operator = { access: 'operator' } as const;

  /** Tells of what somebody asks for, whatever comes of it; gives the actor. */
  function tell(event: string, message: string, request: FastifyRequest, key: CredentialKey): string {
    const { actor } = callerOf(request);
    log.info(event, message, { issuer: key.issuer, clientId: key.clientId, actor });
    return actor;
  }

  app.get(
    '/v1/credentials',
    {
      config: viewer,
      schema: {
        operationId: 'listCredentials',
        summary: 'Credentials, by page',
        querystring: credentialsQuery,
        response: { 200: pageOf(credentialSchema), ...problems },
      },
    },
    ({ query: { limit, cursor, state, issuer } }) => {
      const filter = { ...(state === undefined ? {} : { state }), ...(issuer === undefined ? {} : { issuer }) };
      return listed(cursor, (size, from) => daemon.credentials(filter, size ?? limit, from));
    },
  );

  app.get(
    ONE,
    {
      config: viewer,
      schema: {
        operationId: 'getCredential',
        summary: 'One credential, with its secrets and destinations',
        params: credentialParams,
        response: { 200: credentialSchema, ...problems },
      },
    },
    async ({ params }) => {
      const view = await daemon.credential(params);
      if (view === null) throw new HttpProblem('not-found', 'The ledger knows no such credential.');
      return view;
    },
  );

  app.post(
    `${ONE}/rotate`,
    {
      config: operator,
      schema: {
        operationId: 'rotate',
        summary: 'Rotate now',
        params: credentialParams,
        headers: repeatableHeaders,
        body: rotateBody,
        response: { 202: rotateSchema, ...problems },
      },
    },
    async (request, reply) => {
      const actor = tell('http-rotate', 'a rotation was asked for', request, request.params);
      const { note, grace } = request.body ?? {};
      const wanted = { note: note ?? null, grace: grace ?? null };
      const once = onceOf(request.headers['idempotency-key'], actor, wanted);
      const answer = await daemon.rotate(request.params, { ...wanted, actor, ...(once && { once }) });
      return reply.code(202).header('location', `/v1/rotations/${answer.rotationId}`).send(answer);
    },
  );

  app.post(
    `${ONE}/pause`,
    {
      config: operator,
      schema: {
        operationId: 'pause',
        summary: 'Pause one credential',
        params: credentialParams,
        body: pauseBody,
        response: { 200: pauseSchema, ...problems },
      },
    },
    (request) => {
      const until = endOf(request.body?.until, clock.now());
      const actor = tell('http-pause', 'a pause was asked for', request, request.params);
      return daemon.pause(request.params, { until, note: request.body?.note ?? null, actor });
    },
  );

  app.post(
    `${ONE}/resume`,
    {
      config: operator,
      schema: {
        operationId: 'resume',
        summary: 'End the pause of one credential',
        params: credentialParams,
        body: resumeBody,
        response: { 200: pauseSchema, ...problems },
      },
    },
    (request) => {
      const actor = tell('http-resume', 'the end of a pause was asked for', request, request.params);
      return daemon.resume(request.params, actor);
    },
  );

  app.post(
    `${ONE}/forget`,
    {
      config: operator,
      schema: {
        operationId: 'forget',
        summary: 'Let a former destination hold back deletions no longer',
        params: credentialParams,
        body: forgetBody,
        response: { 200: credentialSchema, ...problems },
      },
    },
    (request) => {
      const actor = tell('http-forget', 'a destination is to be forgotten', request, request.params);
      return daemon.forget(request.params, request.body, actor);
    },
  );
}
