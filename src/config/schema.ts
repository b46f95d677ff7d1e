import { z } from 'zod';
import { DAY } from '../domain/time.ts';
import { duration, isNetwork, name } from './fields.ts';
import { oidcShape } from './oidc.ts';
import { MODES, ROLES } from './settings.ts';
import { webhookShape } from './webhooks.ts';
import { windowShape } from './windows.ts';

/**
 * rekeyd's own part of the configuration. The loader checks with it, and the JSON Schema and the table of keys in
 * docs/configuration.md are made of it. What depends on a type of issuer, vault or ledger comes from their registries.
 */

const count = () => z.int().min(1);

export const tokenShape = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 letters, digits, dots, dashes or underscores')
    .describe('Who it is: the actor in logs and in the history.'),
  role: z.enum(ROLES).describe('`viewer` reads; `operator` reads and acts.'),
  token: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The token itself, best as `${file:…}`; below 16 characters it is warned of. Only its SHA-256 is kept. Either this or `sha256`.',
    ),
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex digits')
    .optional()
    .describe('SHA-256 of the token, in hex.'),
};

export const httpShape = {
  host: z.string().min(1).default('127.0.0.1').describe('The address to listen on.'),
  port: z.int().min(0).max(65_535).default(8080).describe('The port to listen on; 0: any free one.'),
  requestsPerSecond: z
    .number()
    .gt(0)
    .max(100_000)
    .default(100)
    .describe('Requests a second of one address, ten seconds of them at once; more are answered with 429.'),
  trustProxy: z
    .array(z.string().refine(isNetwork, 'must be an address, or a network such as 10.0.0.0/8'))
    .default([])
    .describe(
      'Proxies whose `X-Forwarded-For` says who asks, for limits and audit: addresses and networks. None: nobody.',
    ),
  health: z
    .strictObject({
      host: z.string().min(1).default('0.0.0.0').describe('The address to listen on.'),
      port: z.int().min(0).max(65_535).describe('The port to listen on; 0: any free one.'),
    })
    .nullable()
    .default(null)
    .describe('A second port, on which health and metrics alone answer. `null`: none.'),
  socket: z
    .string()
    .min(1)
    .refine((path) => !/^off$/i.test(path), 'is no path: null turns it off (a file of that name is ./off)')
    .nullable()
    .default('./var/rekeyd.sock')
    .describe('Local socket (0600), which acts as operator: the default way in of the command line. `null`: off.'),
  tokens: z
    .array(z.strictObject(tokenShape))
    .default([])
    .describe('Who may call. None: over the port only health and metrics answer.'),
  oidc: z
    .array(z.strictObject(oidcShape))
    .default([])
    .describe('Issuers whose JWTs are taken beside tokens: Kubernetes, a CI. See oidc.md.'),
};

export const policyShape = {
  lifetime: duration(1).optional().describe('Lifetime of a new secret.'),
  renewBefore: duration(1).optional().describe('How long before its end a secret is renewed. Below `lifetime`.'),
  grace: duration()
    .optional()
    .describe("From 'delivered everywhere' to the old secret's deletion. Below `renewBefore`."),
  maxAge: duration(1).nullable().optional().describe('Renew at this age, whatever the expiry. `null`: never.'),
  provisional: z
    .union([z.literal('off'), duration(1)])
    .optional()
    .describe("A new secret's expiry until it is verified, at least twice `verify.timeout`; or `off`."),
  verify: z
    .strictObject({
      method: z
        .enum(['token', 'none'])
        .optional()
        .describe('`token`: get a token with the new secret; `none`: trust it.'),
      timeout: duration(1).optional().describe('How long a new secret may take to be accepted.'),
      settle: duration().optional().describe('Wait after that, so that every node of the issuer has heard of it.'),
    })
    .optional()
    .describe('How a new secret is proven before it is delivered.'),
  initial: z
    .enum(['adopt', 'rotate'])
    .optional()
    .describe('An entry that is there already and not ours: `adopt` it until its renewal, or `rotate` at once.'),
  retire: z
    .enum(['delete', 'manual'])
    .optional()
    .describe('Superseded secrets: `delete` them after the grace, or only on `rekeyd retire` (`manual`).'),
  unmanaged: z
    .enum(['keep', 'delete'])
    .optional()
    .describe(
      'Secrets made by hand: `keep`, or `delete` once the next rotation supersedes them, with grace and proof.',
    ),
  windows: z
    .array(z.strictObject(windowShape))
    .max(50)
    .optional()
    .describe('When renewals begin and superseded secrets are deleted, see Maintenance windows. `[]`: at any time.'),
};

/** As written in `policies.default` of a configuration that says nothing. */
export const POLICY_DEFAULTS = {
  lifetime: '90d',
  renewBefore: '30d',
  grace: '14d',
  maxAge: null,
  provisional: '24h',
  verify: { method: 'token', timeout: '20m', settle: '15m' },
  initial: 'adopt',
  retire: 'delete',
  unmanaged: 'keep',
  windows: [],
} as const;

const patterns = () => z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional();

export const matchShape = {
  clientId: patterns().describe('A pattern for the clientId, or a list of which any may match.'),
  description: patterns().describe('A pattern for the description, or a list of which any may match.'),
};

/** What every destination has; its vault's type may add to it. */
export const deliverShape = {
  vault: z.string().min(1).describe('A name in `vaults`.'),
  name: z.string().min(1).describe("The entry's name, with placeholders."),
  format: z.enum(['json', 'value', 'text']).default('json').describe('What is stored, see Formats.'),
  fields: z
    .record(z.string().min(1), z.string())
    .optional()
    .describe('Format `json`: the keys to store, and a text with placeholders for each.'),
  template: z.string().min(1).optional().describe('Format `text`: the text to store, with placeholders.'),
};

export const ruleShape = {
  issuer: z.string().min(1).describe('A name in `issuers`.'),
  match: z
    .strictObject(matchShape)
    .describe('Which credentials: globs or captures, see Matching. Both given: both must match.'),
  name: z
    .string()
    .min(1)
    .optional()
    .describe('What to call it. Default: the description as a slug, else the clientId.'),
  policy: z
    .union([z.string().min(1), z.strictObject(policyShape)])
    .prefault('default')
    .describe('A name in `policies`, or a policy inline.'),
  ignore: z.boolean().default(false).describe('Not even watched.'),
  suspend: z.boolean().default(false).describe('Watched and reported, not changed.'),
  deliver: z.array(z.looseObject(deliverShape)).default([]).describe('Where its secret goes.'),
};

/** What every vault has beside the options of its type. */
export const vaultShape = {
  timeout: duration(1).prefault('30s').describe('Limit of one call.'),
  requestsPerSecond: z.number().gt(0).max(10_000).default(10).describe('Pace of the calls to this vault.'),
  readBack: duration().prefault('1m').describe('How long reading may lag behind writing.'),
};

export const settingsShape = {
  instance: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'must be 1 to 32 of a-z, 0-9 and -')
    .describe('Marks what this installation makes. Unique for each account of an issuer.'),
  mode: z
    .enum(MODES)
    .default('active')
    .describe(
      '`no-delete`: everything but deletions; `observe`: changes nothing anywhere. `REKEYD_MODE` overrides it.',
    ),
  schedule: z.string().min(1).default('*/15 * * * *').describe('When to scan: cron, 5 or 6 fields (seconds first).'),
  timezone: z.string().min(1).default('UTC').describe('The time zone of `schedule`.'),
  resync: duration(1).prefault('1h').describe('Everything is looked at afresh at least this often.'),
  shutdownTimeout: duration(1)
    .prefault('30s')
    .describe('How long a stop may take to finish what cannot be left halfway.'),
  ledger: z
    .record(z.string(), z.unknown())
    .default({ type: 'sqlite', path: './var/rekeyd.db' })
    .describe("rekeyd's own store. It never holds a secret's value."),
  http: z.strictObject(httpShape).prefault({}).describe('The HTTP interface.'),
  metrics: z
    .strictObject({
      perCredential: z
        .union([z.literal('auto'), z.boolean()])
        .default('auto')
        .describe('Metrics with a label a credential. `auto`: off above 10,000 credentials.'),
    })
    .prefault({})
    .describe('The metrics.'),
  webhookHosts: z.array(z.string().min(1)).default([]).describe('The hosts that webhooks may send to, globs allowed.'),
  webhooks: z.array(z.strictObject(webhookShape)).default([]).describe('Who is told of events, see webhooks.md.'),
  limits: z
    .strictObject({
      concurrency: count().max(10_000).default(8).describe('Credentials worked on at once.'),
      rotationsPerHour: count()
        .default(60)
        .describe('New rotations an hour, all together; urgent ones go ahead of it.'),
      maxLiveSecrets: count().default(5).describe('Unexpired secrets of a credential at the issuer.'),
      createsPerDay: count().default(4).describe('New secrets of a credential a day.'),
      manualCooldown: duration()
        // the history that it is told by is kept for 400 days
        .refine((value) => value <= 365 * DAY, 'must not be above 365d')
        .prefault('0s')
        .describe('How long after a manual rotation of a credential another one is refused (429). `0s`: it never is.'),
      breaker: z
        .strictObject({
          failures: count().default(5).describe('So many failures of an issuer in a row stop new rotations there.'),
          cooldown: duration(1).prefault('15m').describe('For so long.'),
        })
        .prefault({})
        .describe("Stops new rotations at an issuer that fails. An issuer's."),
    })
    .prefault({})
    .describe('Bounds of the harm that a bad day can do.'),
  issuers: z.record(name(), z.record(z.string(), z.unknown())).describe('The systems that issue secrets, by name.'),
  vaults: z
    .record(name(), z.record(z.string(), z.unknown()))
    .default({})
    .describe('The places that store values, by name.'),
  policies: z
    .record(name(), z.strictObject(policyShape))
    .default({})
    .describe('Policies by name. `default` is where every other one starts from.'),
  credentials: z
    .array(z.strictObject(ruleShape))
    .default([])
    .describe('The rules: the first that matches a credential has it; none: watched and reported, left alone.'),
};
