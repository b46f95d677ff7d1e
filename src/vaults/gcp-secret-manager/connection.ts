import type * as SecretManager from '@google-cloud/secret-manager';
import { environmentProxy } from '../../domain/environment-proxy.ts';
import { MINUTE } from '../../domain/time.ts';
import type { Duration } from '../../domain/time.ts';
import type { VaultContext } from '../contract.ts';
import { readKeyFile } from './key-file.ts';
import type { GcpOptions } from './options.ts';
import { ServiceRefusal } from './refusal.ts';

type Sdk = typeof SecretManager;
export type GoogleClient = SecretManager.SecretManagerServiceClient;
type TransporterOptions = Awaited<ReturnType<GoogleClient['auth']['getClient']>>['transporter']['defaults'];
type ClientOptions = NonNullable<ConstructorParameters<Sdk['SecretManagerServiceClient']>[0]>;

/** More than this is no answer of the service: a payload of 64 KiB in base64, and room. */
const MOST_BYTES = 1_048_576;

/**
 * Makes the client when it is first needed, and makes another one where that failed, or where its credentials were refused:
 * the library's client never gets over a failed start, rejects a promise that nobody holds on each call afterwards, and
 * reads its credentials once.
 */
export class Connection {
  readonly #options: GcpOptions;
  readonly #sdk: Sdk;
  readonly #context: Pick<VaultContext, 'clock' | 'log'>;
  #client: Promise<GoogleClient> | null = null;
  /** What {@link #client} came to. */
  #ready: GoogleClient | null = null;
  #droppedAt: Duration = Number.NEGATIVE_INFINITY;

  constructor(sdk: Sdk, options: GcpOptions, context: Pick<VaultContext, 'clock' | 'log'>) {
    this.#sdk = sdk;
    this.#options = options;
    this.#context = context;
  }

  /** @throws the library's error where there are no credentials. */
  async client(): Promise<GoogleClient> {
    this.#client ??= this.#start();
    const started = this.#client;
    try {
      const client = await started;
      if (this.#client === started) this.#ready = client;
      return client;
    } catch (error) {
      if (this.#client === started) this.#client = null;
      throw error;
    }
  }

  /**
   * Google refused the credentials of this client. The next call makes another one, which reads them anew: a file of them may
   * have been replaced since. Once a minute at most, as credentials that are no good are found no good again.
   */
  refused(client: GoogleClient): void {
    const now = this.#context.clock.monotonic();
    if (client !== this.#ready || now - this.#droppedAt < MINUTE) return;
    this.#droppedAt = now;
    this.#client = null; // not closed: calls of others may be on it, and it holds no connection
    this.#ready = null;
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => null); // one that did not start needs no end
    await client?.close();
    this.#client = null;
    this.#ready = null;
  }

  async #start(): Promise<GoogleClient> {
    // The library's own log prints requests whole, values included (S1). It asks for this when a client is made.
    if (process.env['GOOGLE_SDK_NODE_LOGGING'] !== undefined) {
      delete process.env['GOOGLE_SDK_NODE_LOGGING'];
      this.#context.log.warn(
        'vault-library-log-off',
        'GOOGLE_SDK_NODE_LOGGING is ignored: that log would show secret values',
      );
    }
    const { keyFile } = this.#options;
    const client = new this.#sdk.SecretManagerServiceClient(clientOptions(this.#options));
    if (keyFile !== null) client.auth.jsonContent = await readKeyFile(keyFile);
    const { transporter } = await client.auth.getClient();
    transporter.defaults = { ...transporter.defaults, ...STRICT };
    await client.initialize();
    return client;
  }
}

/**
 * One HTTP/1.1 request a call (the library's REST transport): no connection is held for weeks between two rotations, and
 * what goes over the wire can be seen, and played by a test. Retrying is left to rekeyd (`retry: null` in each call).
 */
function clientOptions({ project, endpoint }: GcpOptions): ClientOptions {
  const options = { fallback: true, projectId: project };
  if (endpoint === null) return options;
  const url = new URL(endpoint);
  const port = url.port === '' ? defaultPort(url) : Number(url.port);
  return { ...options, apiEndpoint: url.hostname, port, protocol: url.protocol.replace(':', '') };
}

/** How each request is sent, those for tokens as well. */
const STRICT = {
  redirect: 'error', // S9; the default would follow, with the body
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the other one, maxContentLength, does not hold as a default
  size: MOST_BYTES,
  adapter: async (options, send) => {
    const ofApi = isOfApi(options.url);
    // For calls of the API the library brings an agent of its own, which heeds no proxy: without it they go by Node's.
    if (ofApi && environmentProxy() !== undefined) delete options.agent;
    const response = await send(options);
    // The credentials' own code makes a new token for 401 and 403, and reads errors of the token endpoint.
    if (response.ok || response.status === 401 || response.status === 403 || !ofApi) return response;
    throw new ServiceRefusal(response.status, await response.text().catch(() => ''));
  },
} satisfies TransporterOptions;

function defaultPort(url: URL): number {
  return url.protocol === 'https:' ? 443 : 80;
}

/** Tells calls of the API from those for a token, which have an error format of their own. */
function isOfApi(url: URL): boolean {
  return url.pathname.startsWith('/v1/projects/') && url.pathname.includes('/secrets');
}
