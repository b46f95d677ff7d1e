import { z } from 'zod';
import type { CredentialView, PauseView, RotateAnswer, RotationView, StatusView } from '../daemon/api.ts';
import { CREDENTIAL_STATES } from '../domain/credential-state.ts';
import { DESTINATION_STATES } from '../domain/destination-state.ts';
import { REASONS } from '../domain/reason.ts';
import { OUTCOMES, ROTATION_STATES, STEPS, TRIGGERS } from '../domain/rotation-state.ts';
import { SECRET_ROLES } from '../domain/secret-role.ts';
import { problemSchema } from './problem.ts';

/** What goes out: a key that is not named here does not leave the daemon. */

const time = z.string();
const timeOrNull = time.nullable();
const textOrNull = z.string().nullable();

export const credentialSchema: z.ZodType<CredentialView, CredentialView> = z.object({
  issuer: z.string(),
  clientId: z.string(),
  name: z.string(),
  description: z.string(),
  policy: textOrNull,
  state: z.enum(CREDENTIAL_STATES),
  reason: z.enum(REASONS),
  current: z.object({ secretId: textOrNull, generation: z.int(), expires: timeOrNull }).nullable(),
  renewAt: timeOrNull,
  secrets: z.array(
    z.object({ secretId: z.string(), expires: timeOrNull, role: z.enum(SECRET_ROLES), deleteAfter: timeOrNull }),
  ),
  destinations: z.array(
    z.object({
      vault: z.string(),
      entry: z.string(),
      generation: z.int().nullable(),
      secretId: textOrNull,
      deliveredAt: timeOrNull,
      state: z.enum(DESTINATION_STATES),
      error: textOrNull,
      former: z.boolean(),
    }),
  ),
  failures: z.int(),
  lastError: textOrNull,
  pausedUntil: timeOrNull,
});

export const rotationSchema: z.ZodType<RotationView, RotationView> = z.object({
  id: z.string(),
  issuer: z.string(),
  clientId: z.string(),
  name: z.string(),
  generation: z.int(),
  trigger: z.enum(TRIGGERS),
  reason: z.enum(REASONS),
  note: textOrNull,
  actor: z.string(),
  bulkId: textOrNull,
  retriedAs: textOrNull,
  state: z.enum(ROTATION_STATES),
  secretId: textOrNull,
  supersedes: z.array(z.string()),
  startedAt: time,
  deliveredAt: timeOrNull,
  deleteAfter: timeOrNull,
  finishedAt: timeOrNull,
  error: textOrNull,
  steps: z.array(z.object({ step: z.enum(STEPS), at: time, outcome: z.enum(OUTCOMES) })),
});

export const pauseSchema: z.ZodType<PauseView, PauseView> = z.object({
  paused: z.boolean(),
  until: timeOrNull,
  note: textOrNull,
});

export const statusSchema: z.ZodType<StatusView, StatusView> = z.object({
  version: z.string(),
  instance: z.string(),
  mode: z.string(),
  startedAt: time,
  uptime: z.number(),
  paused: pauseSchema,
  lastScan: z
    .object({ scanId: z.string(), startedAt: time, finishedAt: timeOrNull, looked: z.int(), error: textOrNull })
    .nullable(),
  nextScan: timeOrNull,
  bulk: z.object({ id: z.string(), total: z.int(), remaining: z.int() }).nullable(),
  breakers: z.array(z.object({ issuer: z.string(), open: z.boolean(), until: timeOrNull })),
  credentials: z.record(z.enum(CREDENTIAL_STATES), z.int()),
});

export const rotateSchema: z.ZodType<RotateAnswer, RotateAnswer> = z.object({
  rotationId: z.string(),
  grace: z.string(),
});
export const scanSchema = z.object({ scanId: z.string() });
export const aliveSchema = z.object({ status: z.literal('ok') });
export const readySchema = z.object({ status: z.enum(['ok', 'unready']), reasons: z.array(z.string()).readonly() });
export const metricsSchema = z.string();
/** A stream: it is not serialized. */
export const eventStreamSchema = z.string();

interface PageOf<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export function pageOf<T>(item: z.ZodType<T, T>): z.ZodType<PageOf<T>, PageOf<T>> {
  return z.object({ items: z.array(item), nextCursor: textOrNull });
}

/** Errors have one schema, whatever their status. */
export const problems = { '4xx': problemSchema, '5xx': problemSchema } as const;
