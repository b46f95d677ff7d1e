import { z } from 'zod';
import { duration, httpUrl } from '../../config/fields.ts';
import { SecretValue } from '../../domain/secret-value.ts';
import { SECOND } from '../../domain/time.ts';

const IN_A_VAULT =
  'a secret that is kept in a vault ({ vault, entry, field }) is not supported yet: give a string, or "${file:/path}"';

/** A URL that paths are put behind. */
function bareUrl() {
  return httpUrl().superRefine((text, context) => {
    if (!URL.canParse(text)) return;
    const url = new URL(text);
    if (url.search !== '' || url.hash !== '') {
      context.addIssue({ code: 'custom', message: 'must not hold a query or a fragment' });
    }
  });
}

/** The section `issuers.NAME` of the configuration, less `type`. Durations come out in milliseconds. */
export const data8Schema = z.strictObject({
  baseUrl: bareUrl().transform((text) => text.replace(/\/+$/, '')),
  /** The endpoint itself or, without a path, the authority: see token-url.ts. */
  tokenUrl: bareUrl().default('https://auth.data-8.co.uk/connect/token'),
  /** Empty: not sent. */
  scope: z.string().default('BatchApi'),
  tokenEndpointAuthMethod: z.enum(['client_secret_post', 'client_secret_basic']).default('client_secret_post'),
  clientId: z.string().min(1, 'must not be empty'),
  clientSecret: z
    .string({
      error: ({ input }) => (typeof input === 'object' && input !== null ? IN_A_VAULT : undefined),
    })
    .min(1, 'must not be empty')
    .transform((text) => SecretValue.of(text)),
  /** Of one attempt, from the first byte sent to the last one read. */
  timeout: duration(1).prefault('30s'),
  requestsPerSecond: z.number().positive().default(10),
  requestLifetime: duration(1).prefault('5m'),
  listLag: duration().prefault('1m'),
  maxClockSkew: duration(1).prefault('5m'),
  maxRetryAfter: duration(SECOND).prefault('15m'),
});

/** The part that says who we are: what is looked at again when we are refused. */
export const ownClientSchema = z.object({
  clientId: data8Schema.shape.clientId,
  clientSecret: data8Schema.shape.clientSecret,
});

export type Data8Options = z.output<typeof data8Schema>;
