import { IssuerError, safeMessage } from '../../src/domain/errors.ts';
import { readField } from '../../src/domain/payload-reading.ts';
import type { SecretValue } from '../../src/domain/secret-value.ts';
import { HOUR } from '../../src/domain/time.ts';
import type { Duration, Instant } from '../../src/domain/time.ts';
import type { Issuer } from '../../src/issuers/contract.ts';
import type { MemoryVault } from '../../src/vaults/memory.ts';
import type { SimIssuer } from './sim-issuer.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The credential that rekeyd lives on, where it does. */
export const OWN_CLIENT = 'c0';
/** The vault that its secret is kept in. */
export const OWN_VAULT = 'a';

const TOKEN_LIFE: Duration = HOUR;

/**
 * An issuer that answers only to who has a token of {@link OWN_CLIENT}, whose secret is read where it is kept: what
 * src/issuers/data8 does over HTTP. The token endpoint and that reading fail only as the account and the vault do.
 */
export function asOwnClient(issuer: Issuer, account: SimIssuer, vault: MemoryVault, time: VirtualTime): Issuer {
  let secret: SecretValue | null = null;
  let until: Instant = time.start;

  const read = async (): Promise<SecretValue> => {
    let found: SecretValue | null;
    try {
      const content = await vault.read({ entry: OWN_CLIENT, options: {} });
      found =
        content.state === 'absent' || content.payload === null ? null : readField('clientSecret', content.payload);
    } catch (error) {
      throw refusal('unavailable', `our own secret could not be read: ${safeMessage(error)}`);
    }
    if (found === null) throw refusal('unavailable', 'our own secret is not where it is kept');
    return found;
  };
  const isTaken = async (value: SecretValue): Promise<boolean> => {
    if ((await account.verify(OWN_CLIENT, value)) === 'refused') return false;
    secret = value;
    until = time.now + TOKEN_LIFE;
    return true;
  };
  const logIn = async (): Promise<void> => {
    if (time.now < until) return;
    if (secret !== null && (await isTaken(secret))) return;
    if (!(await isTaken(await read()))) throw refusal('unauthorized', 'our own client is refused');
  };
  return {
    ...issuer,
    ownClientId: OWN_CLIENT,
    ownSecretIsStatic: false,
    listCredentials: (signal) => logIn().then(() => issuer.listCredentials(signal)),
    listSecrets: (clientId, signal) => logIn().then(() => issuer.listSecrets(clientId, signal)),
    createSecret: (clientId, wish, signal) => logIn().then(() => issuer.createSecret(clientId, wish, signal)),
    updateSecret: (clientId, secretId, wish, signal) =>
      logIn().then(() => issuer.updateSecret(clientId, secretId, wish, signal)),
    deleteSecret: async (clientId, secretId, signal) => {
      await logIn();
      // what it lives on is let go only by a token that the value in the entry, as it is just now, was good for
      if (clientId === OWN_CLIENT && !(await isTaken(await read()))) {
        throw refusal('unauthorized', 'what our own entry holds is refused: nothing of our own client is deleted');
      }
      return issuer.deleteSecret(clientId, secretId, signal);
    },
    rights: (signal) => logIn().then(() => issuer.rights(signal)),
  };
}

function refusal(fault: 'unauthorized' | 'unavailable', message: string): IssuerError {
  return new IssuerError(fault, `data8: token: ${message}`, {
    issuer: 'data8',
    operation: 'token',
    surelyNotApplied: true,
  });
}
