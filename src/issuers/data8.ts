import { SecretValue } from '../domain/secret-value.ts';
import type { Issuer, IssuerContext, IssuerType, Verdict } from './contract.ts';
import type { Data8Api } from './data8/api.ts';
import { connect } from './data8/connection.ts';
import type { Connection } from './data8/connection.ts';
import { provenOfSecret } from './data8/oauth-error.ts';
import { data8Schema } from './data8/options.ts';
import type { Data8Options } from './data8/options.ts';
import { reportRights } from './data8/rights.ts';
import { tokenUrlKind } from './data8/token-url.ts';

const TYPE = 'data8';

/**
 * Nothing is published about it; 200 is what a cautious column has, and a marker takes about half. A description that
 * comes back shorter is noticed, and the secret not used.
 */
const DESCRIPTION_LIMIT = 200;

/** Data8 (https://www.data-8.co.uk) as an issuer. */
export const data8: IssuerType<typeof data8Schema> = {
  type: TYPE,
  schema: data8Schema,
  tokenUrlProblem: ({ tokenUrl }) =>
    tokenUrlKind(tokenUrl).kind === 'endpoint'
      ? null
      : 'tokenUrl names only where to ask for it, and has to be the token endpoint itself, such as https://auth.data-8.co.uk/connect/token',
  create: createData8,
};

/** Makes a client of the ten operations alone, for use by hand; nothing is sent before the first one. */
export function createData8Api(options: Data8Options, context: IssuerContext): Data8Api {
  return connect(options, context).api;
}

/** Makes the issuer; nothing is sent before the first call. */
export function createData8(options: Data8Options, context: IssuerContext): Issuer {
  const connection = connect(options, context);
  const { api } = connection;
  const { requestLifetime, listLag, maxClockSkew } = options;
  return {
    name: context.name,
    type: TYPE,
    timing: { requestLifetime, listLag, maxClockSkew },
    descriptionLimit: DESCRIPTION_LIMIT,
    ownClientId: options.clientId,
    ownSecretIsStatic: options.clientSecret instanceof SecretValue,
    listCredentials: (signal) => api.listCredentials(signal),
    listSecrets: (clientId, signal) => api.listSecrets(clientId, signal),
    createSecret: (clientId, wish, signal) => api.createSecret(clientId, wish, signal),
    updateSecret: (clientId, secretId, wish, signal) => api.updateSecret(clientId, secretId, wish, signal),
    deleteSecret: async (clientId, secretId, signal) => {
      await connection.beforeDeletion(clientId, signal);
      return api.deleteSecret(clientId, secretId, signal);
    },
    verify: (clientId, value, signal) => verify(connection, clientId, value, signal),
    skew: () => connection.skew(),
    rights: (signal) => reportRights(api, signal),
    close: () => {
      api.close();
      return Promise.resolve();
    },
  };
}

/** One try: whoever verifies asks again anyway, and silence must be told as silence. */
async function verify(
  { tokenEndpoint, failures }: Connection,
  clientId: string,
  clientSecret: SecretValue,
  signal: AbortSignal | undefined,
): Promise<Verdict> {
  const answer = await tokenEndpoint.ask({ clientId, clientSecret }, 'verify', 'never', signal);
  if (answer.kind === 'token') return 'accepted';
  if (answer.kind === 'unexplained') {
    // it is an answer: where a wall gives it to everyone, our own client has no token, and nothing is made
    if (answer.failure.status === 401) return 'refused';
    throw answer.failure;
  }
  const proven = provenOfSecret(answer);
  if (proven !== 'nothing') return proven === 'good' ? 'accepted' : 'refused';
  const { error, status } = answer;
  throw failures.make('rejected', 'verify', `the token endpoint answered ${status} ${error}, which proves nothing`, {
    status,
    surelyNotApplied: true,
  });
}
