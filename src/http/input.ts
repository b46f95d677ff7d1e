import { z } from 'zod';
import { CREDENTIAL_STATES } from '../domain/credential-state.ts';
import { ROTATION_STATES } from '../domain/rotation-state.ts';
import { DAY, parseDuration } from '../domain/time.ts';
import { hasUnsafeCharacters } from '../telemetry/printable.ts';

/** The longest grace or pause that is taken from a caller: more is a slip. */
const LONGEST = 3_650 * DAY;
const END_OF_TIME = Date.UTC(9999, 11, 31);

const safeText = (limit: number) =>
  z
    .string()
    .max(limit)
    .refine((text) => !hasUnsafeCharacters(text), 'must not hold control characters');

/**
 * One name or id of a path, percent-decoded. Separators are refused although they could be decoded: behind a proxy that
 * decodes them the same URL would name something else (S5).
 */
const segment = safeText(1_000)
  .min(1, 'must not be empty')
  .refine((text) => !/[/\\]/.test(text), 'must not hold a slash or backslash')
  .refine((text) => text !== '.' && text !== '..', 'must not be a relative path');

const note = safeText(500)
  .nullish()
  .transform((text) => (text === undefined || text === null || text.trim() === '' ? null : text.trim()));

const duration = z.string().transform((text, context) => {
  const value = parseDuration(text);
  if (value !== null && value <= LONGEST) return value;
  context.addIssue('must be a duration such as 45s, 15m, 36h or 14d, of ten years at most');
  return z.NEVER;
});

/** A point of time, or a length of time from now. */
const until = z.string().transform((text, context) => {
  const length = parseDuration(text);
  if (length !== null && length > 0 && length <= LONGEST) return { after: length };
  // RFC 3339 takes `t` and `z`, too
  const time = text.toUpperCase();
  if (z.iso.datetime({ offset: true }).safeParse(time).success) {
    const at = Date.parse(time);
    if (at <= END_OF_TIME) return { at };
  }
  context.addIssue('must be a time such as 2030-01-31T12:00:00Z, or a duration such as 24h, of ten years at most');
  return z.NEVER;
});

/** What the document says of a number in a query, see openapi.ts. */
export const numberFrom = (minimum: number, maximum: number) => ({ type: 'integer', minimum, maximum }) as const;

const paging = {
  limit: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, 'must be a number from 1 to 1000')
    .transform(Number)
    .refine((limit) => limit <= 1_000, 'must be a number from 1 to 1000')
    .prefault('100')
    .meta(numberFrom(1, 1_000)),
  cursor: safeText(1_000)
    .min(1)
    .optional()
    .transform((cursor) => cursor ?? null),
};

export const credentialParams = z.strictObject({ issuer: segment, clientId: segment });
export const bulkParams = z.strictObject({ bulkId: segment });
export const rotationParams = z.strictObject({ id: segment });

export const credentialsQuery = z.strictObject({
  state: z.enum(CREDENTIAL_STATES).optional(),
  issuer: safeText(1_000).optional(),
  ...paging,
});

export const rotationsQuery = z.strictObject({
  issuer: safeText(1_000).optional(),
  clientId: safeText(1_000).optional(),
  state: z.enum(ROTATION_STATES).optional(),
  ...paging,
});

/** A body may be left out as a whole where every key may; Fastify gives null for none. */
export const rotateBody = z.strictObject({ note, grace: duration.nullish() }).nullish();
export const pauseBody = z.strictObject({ note, until: until.nullish() }).nullish();
/** A resume takes what a pause takes, and needs none of it: it is at once, whatever the pause's end was to be. */
export const resumeBody = z
  .strictObject({
    note: note.describe('Why; told in the event `audit`.'),
    until: safeText(100).nullish().describe('Not looked at: a pause ends at once.'),
  })
  .nullish();
/** `retire` and `scan` take nothing. */
export const emptyBody = z.strictObject({}).nullish();
/** Not `silent`: whoever acts is to be seen in the log. */
export const logLevelBody = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error']),
  until: until.nullish(),
});
export const forgetBody = z.strictObject({ vault: safeText(200).min(1), entry: safeText(2_000).min(1) });

const wish = {
  match: safeText(512).min(1, 'must be a pattern; `*` is everything'),
  grace: duration.nullish().transform((grace) => grace ?? null),
  force: z.boolean().default(false),
  note,
};
export const previewBody = z.strictObject({ ...wish, limit: z.int().min(0).max(1_000).default(100) });
/** `confirm`: the digest of a preview. */
export const bulkBody = z.strictObject({
  ...wish,
  confirm: z.string().regex(/^[0-9a-f]{64}$/, "must be a preview's digest"),
});
