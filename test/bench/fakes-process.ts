import { AzureKeyVaultHttp } from '../fakes/azure-key-vault-http.ts';
import { FakeGcpSecretManager } from '../fakes/gcp-secret-http.ts';
import { serve } from './remote.ts';

/** The services that there is no server of to have, in a process of their own. */
const implementation = {
  async open(): Promise<{ azure: { url: string; certificate: string; token: string }; gcp: string }> {
    const azure = await AzureKeyVaultHttp.start();
    const { url, certificate, token } = azure;
    return { azure: { url, certificate, token }, gcp: await new FakeGcpSecretManager().start() };
  },
};

export type FakesCalls = typeof implementation;
serve(implementation);
