import { z } from 'zod';
import { httpUrl } from '../../config/fields.ts';
import { SecretValue } from '../../domain/secret-value.ts';

const id = () => z.string().min(1, 'must not be empty');

const auth = z
  .discriminatedUnion('method', [
    z.strictObject({ method: z.literal('default') }),
    z.strictObject({
      method: z.literal('workload-identity'),
      tenantId: id().optional().describe('Default: `AZURE_TENANT_ID`.'),
      clientId: id().optional().describe('Default: `AZURE_CLIENT_ID`.'),
      tokenFile: z
        .string()
        .regex(/^\//, 'must be an absolute path')
        .optional()
        .describe("The service account's token, an absolute path. Default: `AZURE_FEDERATED_TOKEN_FILE`."),
    }),
    z.strictObject({
      method: z.literal('managed-identity'),
      clientId: id().optional().describe('Of a user-assigned identity. Default: the one that the system assigned.'),
    }),
    z.strictObject({
      method: z.literal('client-secret'),
      tenantId: id().describe('The directory.'),
      clientId: id().describe('The application.'),
      clientSecret: id()
        .transform((text) => SecretValue.of(text))
        .describe('Its secret, best as `${file:…}`.'),
    }),
  ])
  .prefault({ method: 'default' })
  .describe('Who rekeyd is to Azure. `default`: whatever the environment offers (DefaultAzureCredential).');

/** The section `vaults.NAME` of the configuration, less what all vaults have. */
export const azureKeyVaultSchema = z.strictObject({
  url: httpUrl()
    .superRefine((text, context) => {
      if (!URL.canParse(text)) return;
      const url = new URL(text);
      // The SDK sends no token over http, not even to this machine.
      if (url.protocol !== 'https:') context.addIssue({ code: 'custom', message: 'must start with https://' });
      if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
        context.addIssue({ code: 'custom', message: 'must be the address of the vault alone, without a path' });
      }
    })
    .transform((text) => (URL.canParse(text) ? new URL(text).origin : text))
    .describe("The vault's address: `https://NAME.vault.azure.net`."),
  auth,
  ca: z
    .string()
    .min(1)
    .optional()
    .describe('A file of certificates (PEM) to trust besides the usual ones, as behind a proxy that inspects TLS.'),
  disableSuperseded: z
    .boolean()
    .default(false)
    .describe('Whether a delivery disables our versions older than the one that it supersedes.'),
});

export type AzureKeyVaultOptions = z.output<typeof azureKeyVaultSchema>;
export type AzureAuth = AzureKeyVaultOptions['auth'];
