import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { liveSecret } from './acceptance.ts';
import type { Account } from './account.ts';
import type { Bearer } from './bearer.ts';
import { faultSettings } from './faults.ts';
import type { Faults } from './faults.ts';
import { Problem } from './problem.ts';
import type { RequestLog } from './request-log.ts';
import { timestampAt } from './timestamp.ts';

const question = z.strictObject({ clientId: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/**
 * The way in for a test in another process: switches, request log, truth. No token is asked for, so they are there only
 * where they were switched on. None of them tells a value.
 */
export function registerFaultRoutes(
  app: FastifyInstance,
  parts: {
    readonly faults: Faults;
    readonly account: Account;
    readonly bearer: Bearer;
    readonly log: RequestLog;
    readonly now: () => number;
  },
): void {
  const { faults, account, bearer, log, now } = parts;
  const hidden = { schema: { hide: true } };

  app.get('/_faults', hidden, () => ({ settings: faults.settings, hits: faults.hits() }));
  app.put('/_faults', hidden, (request) => {
    faults.set(checked(faultSettings, request.body));
    return { settings: faults.settings, hits: faults.hits() };
  });

  app.get('/_log', hidden, () => log.entries());
  app.delete('/_log', hidden, (_request, reply) => {
    log.clear();
    return reply.code(204).send();
  });

  app.post('/_revoke', hidden, (_request, reply) => {
    bearer.revokeAll();
    return reply.code(204).send();
  });

  app.get('/_truth', hidden, () => ({
    now: timestampAt(now()).text,
    secrets: account.journal.map((secret) => ({
      clientId: secret.clientId,
      clientSecretId: secret.clientSecretId,
      sha256: secret.sha256,
      description: secret.description,
      created: timestampAt(secret.created).text,
      expires: secret.expires?.text ?? null,
      deleted: secret.deleted === null ? null : timestampAt(secret.deleted).text,
      changes: (secret.changes ?? []).map(({ at, expires }) => ({ at: timestampAt(at).text, expires })),
    })),
  }));
  app.post('/_accepted', hidden, (request) => {
    const { clientId, sha256 } = checked(question, request.body);
    const secret = liveSecret(account, clientId, sha256, now());
    return {
      accepted: secret !== undefined,
      clientSecretId: secret?.clientSecretId ?? null,
      expires: secret?.expires?.text ?? null,
    };
  });
}

/** @throws Problem 400 that names each key. */
function checked<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const errors: Record<string, string[]> = {};
  for (const { path, message } of parsed.error.issues) (errors[`$.${path.join('.')}`] ??= []).push(message);
  throw new Problem(400, 'The request is invalid.', errors);
}
