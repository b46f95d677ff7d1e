import { z } from 'zod';
import { duration, httpUrl } from '../../config/fields.ts';
import { SecretValue } from '../../domain/secret-value.ts';
import { SECOND } from '../../domain/time.ts';

/** Our own secret in a vault's entry, which may be a destination of the same client. */
const inVault = z.strictObject({
  vault: z.string().min(1, 'must not be empty').describe('The name of the vault that holds it, as in `vaults`.'),
  entry: z.string().min(1, 'must not be empty').describe("The entry's name."),
  field: z
    .string()
    .min(1, 'must not be empty')
    .default('clientSecret')
    .describe('The field of the entry; an entry without fields is the secret as a whole.'),
});

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
  baseUrl: bareUrl()
    .transform((text) => text.replace(/\/+$/, ''))
    .describe('Where the administration API is: https, or http to this machine itself.'),
  // See token-url.ts.
  tokenUrl: bareUrl()
    .default('https://auth.data-8.co.uk/connect/token')
    .describe('The token endpoint or, without a path, the authority, which is then asked where it is.'),
  scope: z.string().default('BatchApi').describe('The OAuth scope to ask for. Empty: none is sent.'),
  tokenEndpointAuthMethod: z
    .enum(['client_secret_post', 'client_secret_basic'])
    .default('client_secret_post')
    .describe('How the client authenticates to the token endpoint.'),
  clientId: z.string().min(1, 'must not be empty').describe("rekeyd's own client."),
  clientSecret: z
    .union([
      z
        .string()
        .min(1, 'must not be empty')
        .transform((text) => SecretValue.of(text)),
      inVault,
    ])
    .describe(
      'Its secret, best as `${file:…}`, or `{ vault, entry, field }`: read there at start, and when it is refused.',
    ),
  timeout: duration(1).prefault('30s').describe('Limit of one attempt, from the first byte sent to the last one read.'),
  requestsPerSecond: z.number().positive().default(10).describe('Pace of the calls to this issuer.'),
  requestLifetime: duration(1).prefault('5m').describe('A call that was given up may still land within this.'),
  listLag: duration().prefault('1m').describe('A list may be this stale.'),
  maxClockSkew: duration(1)
    .prefault('5m')
    .describe('With clocks further apart than this, nothing is created, extended or deleted.'),
  maxRetryAfter: duration(SECOND).prefault('15m').describe('The longest wait that a `Retry-After` is taken for.'),
});

/** The part that says who we are: what is looked at again when we are refused. */
export const ownClientSchema = z.object({
  clientId: data8Schema.shape.clientId,
  clientSecret: data8Schema.shape.clientSecret,
});

export type Data8Options = z.output<typeof data8Schema>;
