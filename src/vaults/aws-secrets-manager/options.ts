import { z } from 'zod';
import { httpUrl } from '../../config/fields.ts';
import { tagProblem } from './tag-text.ts';

/** `eu-west-2`, `us-gov-west-1`, `eu-isoe-west-1`: https://docs.aws.amazon.com/general/latest/gr/rande.html */
const REGION = /^[a-z]{2,6}(-[a-z]{2,12}){1,3}-\d{1,2}$/;
const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/;
const KMS_KEY = /^[A-Za-z0-9:/_-]{1,2048}$/;

const region = () => z.string().regex(REGION, 'must be a region such as eu-west-2');
const kmsKey = () => z.string().regex(KMS_KEY, 'must be the ARN, id or alias (alias/…) of a KMS key');

/** Tags as a map; a key or value that AWS would refuse is told when the configuration is loaded. */
const tags = () =>
  z.record(z.string(), z.string()).superRefine((given, context) => {
    for (const [key, value] of Object.entries(given)) {
      const problem = tagProblem(key, value);
      if (problem !== null) context.addIssue({ code: 'custom', path: [key], message: problem });
    }
  });

/** The section `vaults.NAME` of the configuration, less what all vaults have. */
export const awsSchema = z.strictObject({
  region: region()
    .nullable()
    .default(null)
    .describe('The AWS region; null: `AWS_REGION`, or the one of the shared AWS configuration.'),
  roleArn: z
    .string()
    .regex(ROLE, 'must be the ARN of a role: arn:aws:iam::123456789012:role/NAME')
    .nullable()
    .default(null)
    .describe("The role to assume; null: the credentials of AWS's default chain are used as they are."),
  externalId: z
    .string()
    .regex(/^[\w+=,.@:/-]{2,1224}$/, 'must be 2 to 1224 letters, digits or any of +=,.@:/-')
    .nullable()
    .default(null)
    .describe('The external id that the trust policy of the role asks for.'),
  endpoint: httpUrl()
    .nullable()
    .default(null)
    .describe('Where Secrets Manager is, e.g. a VPC endpoint: https, or http to this machine itself.'),
  stsEndpoint: httpUrl().nullable().default(null).describe('Where STS is, for `roleArn`.'),
  kmsKeyId: kmsKey()
    .nullable()
    .default(null)
    .describe('The KMS key of secrets that rekeyd makes; null: `aws/secretsmanager`.'),
  replicaRegions: z
    .array(z.union([region(), z.strictObject({ region: region(), kmsKeyId: kmsKey() })]))
    .default([])
    .describe('Regions that secrets that rekeyd makes are replicated to: a name, or `{ region, kmsKeyId }`.'),
  tags: tags().default({}).describe('Tags of secrets that rekeyd makes.'),
});

export type AwsOptions = z.output<typeof awsSchema>;

/** Settings of one destination. The values may hold placeholders, so they are checked once these are replaced. */
export const awsDestination = {
  tags: z
    .record(z.string(), z.string())
    .optional()
    .describe("Tags of the secret, where rekeyd makes it; they go before the vault's."),
};

/** The tags of a destination, as its options hold them; empty where there are none. */
export function destinationTags(options: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const found = z.record(z.string(), z.string()).safeParse(options['tags']);
  return found.success ? found.data : {};
}

/** The account that a role is of; null without one. */
export function accountOf(roleArn: string | null): string | null {
  return roleArn?.split(':')[4] ?? null;
}
