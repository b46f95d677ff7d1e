import type { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { urlProblem } from '../../config/fields.ts';
import { environmentProxy } from '../../domain/environment-proxy.ts';
import type { VaultContext } from '../contract.ts';
import { optionError } from '../private-files.ts';
import { credentialsFailure, OwnFailure } from './errors.ts';
import type { AwsOptions } from './options.ts';
import { renewedCredentials } from './renewed-credentials.ts';

/** One more attempt mends a kept connection that went stale. All else is for the rotation's own, stored backoff. */
const ATTEMPTS = 2;
const LONGEST_CONNECT = 10_000;
/** A value of 64 KiB, as JSON with every character escaped, is below this. */
const LARGEST_ANSWER = 1_048_576;

/** The SDK prints to the console where it has no logger, or one of its own class `NoOpLogger`. */
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

export interface OpenClient {
  readonly client: SecretsManager;
  readonly region: string;
}

type Options = Pick<AwsOptions, 'region' | 'roleArn' | 'externalId' | 'endpoint' | 'stsEndpoint'>;

/**
 * Loads the SDK and makes a client. Nothing is sent before the first call.
 * @throws ConfigError where no region is given.
 */
export async function openClient(
  options: Options,
  context: Pick<VaultContext, 'name' | 'timeout' | 'clock' | 'log'>,
): Promise<OpenClient> {
  const { name, timeout } = context;
  const [{ SecretsManager }, providers] = await Promise.all([
    import('@aws-sdk/client-secrets-manager'),
    import('@aws-sdk/credential-providers'),
  ]);
  const agent = { proxyEnv: environmentProxy() };
  const requestHandler = {
    httpAgent: agent,
    httpsAgent: agent,
    connectionTimeout: Math.min(timeout, LONGEST_CONNECT),
    requestTimeout: timeout,
    throwOnRequestTimeout: true,
    logger: silent,
  };
  const common = {
    ...(options.region === null ? {} : { region: options.region }),
    maxAttempts: ATTEMPTS,
    retryMode: 'standard',
    logger: silent,
    userAgentAppId: 'rekeyd',
    streamCollector: collectBounded,
  };
  const clientPlugins = [plugin];
  // the chain asks STS and others itself, with a client that it makes of this
  const base = renewedCredentials(
    () =>
      providers.fromNodeProviderChain({
        ignoreCache: true, // else a file is read once in the life of the process
        logger: silent,
        clientConfig: { ...common, requestHandler },
        clientPlugins,
      }),
    context,
  );
  const provide =
    options.roleArn === null
      ? base
      : providers.fromTemporaryCredentials({
          masterCredentials: base,
          params: {
            RoleArn: options.roleArn,
            RoleSessionName: 'rekeyd',
            ...(options.externalId === null ? {} : { ExternalId: options.externalId }),
          },
          logger: silent,
          clientConfig: {
            ...common,
            requestHandler,
            ...(options.stsEndpoint === null ? {} : { endpoint: options.stsEndpoint }),
          },
          clientPlugins,
        });
  let region = options.region ?? '';
  const client = new SecretsManager({
    ...common,
    requestHandler,
    ...(options.endpoint === null ? {} : { endpoint: options.endpoint }),
    credentials: async (properties) => {
      try {
        return await provide(properties);
      } catch (error) {
        throw credentialsFailure(error, options.roleArn, region);
      }
    },
  });
  client.middlewareStack.use(plugin);
  region = await regionOf(client, name);
  return { client, region };
}

const BEFORE_SENDING = {
  step: 'finalizeRequest',
  priority: 'low',
  name: 'rekeydOnlySafe',
  override: true,
} as const;

type Plugin = Parameters<SecretsManager['middlewareStack']['use']>[0];

const plugin: Plugin = {
  applyToStack: (stack) => {
    stack.add(onlySafe, BEFORE_SENDING);
  },
};

/** The endpoint may come from AWS_ENDPOINT_URL or the shared configuration, past the check of our own options. */
function onlySafe<Given extends { request: unknown }, Answer>(next: (given: Given) => Promise<Answer>) {
  return (given: Given): Promise<Answer> => {
    const { protocol, hostname } = given.request as { readonly protocol?: string; readonly hostname?: string };
    const problem = urlProblem(`${protocol ?? ''}//${hostname ?? ''}`);
    if (problem === null) return next(given);
    const why = `the endpoint that AWS_ENDPOINT_URL… or the shared AWS configuration names ${problem}`;
    throw new OwnFailure({ fault: 'rejected', why });
  };
}

/** Reads an answer whole, up to a bound: whatever answers may send without end. */
async function collectBounded(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > LARGEST_ANSWER) throw new OwnFailure({ fault: 'malformed', why: 'the answer is too large' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function ignore(): void {
  // nothing of the SDK is printed: what it knows comes in its errors
}

async function regionOf(client: SecretsManager, vault: string): Promise<string> {
  try {
    return await client.config.region();
  } catch {
    // the SDK's own error says no more than that it found none
    client.destroy();
    const why = 'is not set, and neither AWS_REGION nor the shared AWS configuration names a region';
    throw optionError({ vault, option: 'region' }, `${why}: set it, such as eu-west-2`);
  }
}
