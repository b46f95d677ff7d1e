import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { httpUrl } from '../../config/fields.ts';
import { SecretValue } from '../../domain/secret-value.ts';

const KUBERNETES_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const MOUNT = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/;

/** Where an engine is mounted, without slashes at the ends. */
function mount(engine: string) {
  return z
    .string()
    .transform((text) => text.replace(/^\/+|\/+$/g, ''))
    .pipe(z.string().regex(MOUNT, 'must be letters, digits, dots, dashes and underscores, parted by /'))
    .prefault(engine);
}

function secret() {
  return z
    .string()
    .min(1, 'must not be empty')
    .transform((text) => SecretValue.of(text));
}

/** A file that is read again at each login, so that whoever renews it need not tell rekeyd. */
function file() {
  return z.string().refine(isAbsolute, 'must be an absolute path');
}

const namespace = z
  .string()
  .refine(
    (text) => /^[\x21-\x7e]+$/.test(text) && !/^\/|\/$/.test(text),
    'must be a path such as team/prod, no / at its ends',
  );

const loginNamespace = namespace
  .optional()
  .describe('The namespace that the token or the method belongs to. Default: that of the vault.');

const authSchema = z
  .discriminatedUnion('method', [
    z.strictObject({
      method: z.literal('token'),
      namespace: loginNamespace,
      token: secret().optional().describe('A token, best as `${file:…}`. It is renewed as long as it may be.'),
      file: file().optional().describe('A file with a token, as an agent keeps it fresh. Read again when it ends.'),
    }),
    z.strictObject({
      method: z.literal('approle'),
      mount: mount('approle').describe('Where the method is mounted.'),
      namespace: loginNamespace,
      roleId: z.string().min(1).describe('The role id.'),
      secretId: secret().optional().describe('The secret id, best as `${file:…}`.'),
      secretIdFile: file().optional().describe('A file with the secret id, read at each login.'),
    }),
    z.strictObject({
      method: z.literal('kubernetes'),
      mount: mount('kubernetes').describe('Where the method is mounted.'),
      namespace: loginNamespace,
      role: z.string().min(1).describe('The role.'),
      tokenFile: file().default(KUBERNETES_TOKEN).describe("The service account's token, read at each login."),
    }),
    z.strictObject({
      method: z.literal('jwt'),
      mount: mount('jwt').describe('Where the method is mounted.'),
      namespace: loginNamespace,
      role: z.string().min(1).describe('The role.'),
      tokenFile: file().describe('The JWT, read at each login.'),
    }),
  ])
  .superRefine((auth, context) => {
    const problem = authProblem(auth);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

/** Options of the vault type `hashicorp-vault`, less `type`, `timeout`, `requestsPerSecond` and `readBack`. */
export const hashicorpVaultSchema = z.strictObject({
  url: httpUrl()
    .superRefine((text, context) => {
      if (!URL.canParse(text)) return; // told already
      const { search, hash } = new URL(text);
      if (search !== '' || hash !== '')
        context.addIssue({ code: 'custom', message: 'must not hold a query or a fragment' });
    })
    .transform((text) => text.replace(/\/+$/, '').replace(/\/v1$/, ''))
    .describe(
      'Where the server is: https, or http to this machine itself. Best the active node, or a balancer for it.',
    ),
  mount: mount('secret').describe('Where the KV engine, version 2, is mounted.'),
  namespace: namespace.nullable().default(null).describe('The namespace (`X-Vault-Namespace`); null: none.'),
  cluster: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('A lasting name of the server, for the ledger; null: its URL. Set it where that may change.'),
  caFile: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('A PEM file with the certificates to trust instead of those that Node trusts; null: those of Node.'),
  auth: authSchema.describe('How rekeyd logs in.'),
});

export type HashicorpVaultOptions = z.output<typeof hashicorpVaultSchema>;
export type AuthOptions = HashicorpVaultOptions['auth'];

function authProblem(auth: z.output<typeof authSchema>): string | null {
  if (auth.method === 'token' && (auth.token === undefined) === (auth.file === undefined)) {
    return 'one of token and file is needed, not both';
  }
  if (auth.method === 'approle' && auth.secretId !== undefined && auth.secretIdFile !== undefined) {
    return 'only one of secretId and secretIdFile can be given';
  }
  return null;
}
