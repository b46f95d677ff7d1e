import type { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import { MINUTE } from '../../domain/time.ts';
import type { Duration } from '../../domain/time.ts';
import type { VaultContext } from '../contract.ts';
import { credentialsFailure } from './errors.ts';

type Provide = ReturnType<typeof fromNodeProviderChain>;
type Credentials = Awaited<ReturnType<Provide>>;

/** The SDK keeps what has no end for ever. What has ended it asks for at each call, and uses all the same. */
const ASK_EACH_TIME = new Date(0);

/**
 * Credentials of AWS's default chain. Those that tell no end of their own, such as a session's in the shared credentials file,
 * may be renewed there by another process: they are looked for again, once a minute at most. Where nothing of the kind is found
 * then (a file that is being written), those of before stay in use, and it is told.
 * @param newChain a chain that has kept nothing yet
 */
export function renewedCredentials(newChain: () => Provide, { name, clock, log }: Context): Provide {
  const first = newChain();
  let kept: { readonly credentials: Credentials; readonly askedAt: Duration } | null = null;
  return async (properties) => {
    if (kept === null) {
      const found = await first(properties);
      if (found.expiration !== undefined) return found;
      kept = { credentials: found, askedAt: clock.monotonic() };
    } else if (clock.monotonic() - kept.askedAt >= MINUTE) {
      const { credentials } = kept;
      kept = { credentials: await again(credentials, properties), askedAt: clock.monotonic() };
    }
    return { ...kept.credentials, expiration: ASK_EACH_TIME };
  };

  async function again(before: Credentials, properties: Parameters<Provide>[0]): Promise<Credentials> {
    let why: string;
    try {
      const found = await newChain()(properties);
      if (found.expiration === undefined) return found;
      // further down the chain: of the machine's role, say, which may be of another account, where entries seem absent
      why = "AWS's default chain found a role's instead, which a restart would take";
    } catch (error) {
      ({ why } = credentialsFailure(error, null, '').meaning);
    }
    const told = 'The AWS credentials could not be read again: those of before stay in use.';
    log.warn('vault-credentials-kept', told, { vault: name, why });
    return before;
  }
}

type Context = Pick<VaultContext, 'name' | 'clock' | 'log'>;
