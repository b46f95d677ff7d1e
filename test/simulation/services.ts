import { IssuerError, VaultError } from '../../src/domain/errors.ts';
import type { Mark } from '../../src/domain/mark.ts';
import type { Payload } from '../../src/domain/payload.ts';
import type { SecretValue } from '../../src/domain/secret-value.ts';
import type { Duration } from '../../src/domain/time.ts';
import { MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Issuer, SecretWish } from '../../src/issuers/contract.ts';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import type { MemoryVault } from '../../src/vaults/memory.ts';
import type { MemoryIssuer } from '../fakes/memory-issuer.ts';
import type { SimProcess } from './machine.ts';
import { send } from './wire.ts';
import type { Network, Refusal } from './wire.ts';

/** What the invariants are told of changes as they are applied, and of what was read. */
export interface Witness {
  created(process: SimProcess, clientId: string, secretId: string): void;
  deleted(process: SimProcess, clientId: string, secretId: string): void;
  /** A request to change something at the issuer leaves. */
  changing(
    process: SimProcess,
    operation: 'createSecret' | 'updateSecret' | 'deleteSecret',
    clientId: string,
    about: SecretWish | string,
  ): void;
  listed(process: SimProcess, clientId: string, askedAt: number): void;
  looked(process: SimProcess, vault: string, entry: string, askedAt: number): void;
  /** `sentAt`: when the request left; a freeze, or a network, may have kept it on its way. */
  wrote(process: SimProcess, vault: string, entry: string, sentAt: number): void;
}

const PATIENCE = 30 * SECOND;

/** The issuer, as one process reaches it. */
export function issuerFor(network: Network, process: SimProcess, issuer: MemoryIssuer, witness: Witness): Issuer {
  /** By the answers' dates: null before the first one. */
  let skew: Duration | null = null;
  const call = <T>(
    operation: string,
    subject: string,
    isChange: boolean,
    apply: () => Promise<T>,
    signal?: AbortSignal,
  ) =>
    send<T>(network, process, {
      text: `${process.machine.name} issuer.${operation} ${subject}`,
      target: 'issuer',
      isChange,
      staleness: issuer.timing.listLag,
      patience: PATIENCE,
      lifetime: issuer.timing.requestLifetime,
      signal,
      refuse: (refusal) => issuerError(refusal, operation),
      apply: async (lag) => {
        issuer.behaviour.lag = lag;
        try {
          return await apply();
        } finally {
          issuer.behaviour.lag = 0;
        }
      },
    }).then((answer) => {
      // a Date header has no fractions
      skew = Math.floor(network.time.now / SECOND) * SECOND - process.machine.now();
      return answer;
    });
  return {
    name: issuer.name,
    type: issuer.type,
    timing: issuer.timing,
    descriptionLimit: issuer.descriptionLimit,
    listCredentials: (signal) => call('listCredentials', '', false, () => issuer.listCredentials(), signal),
    listSecrets: (clientId, signal) => {
      const askedAt = network.time.now;
      return call('listSecrets', clientId, false, () => issuer.listSecrets(clientId), signal).then((list) => {
        witness.listed(process, clientId, askedAt);
        return list;
      });
    },
    createSecret: (clientId, wish, signal) => {
      witness.changing(process, 'createSecret', clientId, wish);
      const apply = async () => {
        const made = await issuer.createSecret(clientId, wish);
        witness.created(process, clientId, made.secretId);
        return made;
      };
      return call('createSecret', clientId, true, apply, signal);
    },
    updateSecret: (clientId, secretId, wish, signal) => {
      witness.changing(process, 'updateSecret', clientId, wish);
      return call('updateSecret', clientId, true, () => issuer.updateSecret(clientId, secretId, wish), signal);
    },
    deleteSecret: (clientId, secretId, signal) => {
      witness.changing(process, 'deleteSecret', clientId, secretId);
      const apply = async () => {
        const outcome = await issuer.deleteSecret(clientId, secretId);
        if (outcome === 'deleted') witness.deleted(process, clientId, secretId);
        return outcome;
      };
      return call('deleteSecret', clientId, true, apply, signal);
    },
    verify: (clientId, value: SecretValue, signal) =>
      call('verify', clientId, false, () => issuer.verify(clientId, value), signal),
    skew: () => skew,
    rights: (signal) => call('rights', '', false, () => issuer.rights(), signal),
    close: () => Promise.resolve(),
  };
}

function issuerError(refusal: Refusal, operation: string): IssuerError {
  const about = (status: number | null, surelyNotApplied: boolean, retryAfter: number | null = null) => ({
    issuer: 'data8',
    operation,
    status,
    surelyNotApplied,
    retryAfter,
  });
  switch (refusal) {
    case 'refused':
      return new IssuerError('unavailable', `data8: ${operation}: the connection was refused`, about(null, true));
    case 'no-answer':
      return new IssuerError('unavailable', `data8: ${operation}: no answer`, about(null, false));
    case 'throttled':
      return new IssuerError('throttled', `data8: ${operation}: answered 429`, about(429, true, MINUTE));
    case 'error':
      return new IssuerError('unavailable', `data8: ${operation}: answered 503`, about(503, false));
    case 'denied':
      return new IssuerError('forbidden', `data8: ${operation}: answered 403`, about(403, true));
    case 'garbled':
      return new IssuerError('malformed', `data8: ${operation}: the answer cannot be read`, about(200, false));
  }
}

/** A vault, as one process reaches it. Its guard is around it as in the shipped daemon: that keeps the time. */
export function vaultFor(network: Network, process: SimProcess, vault: MemoryVault, witness: Witness): Vault {
  const call = <T>(
    operation: string,
    entry: string,
    isChange: boolean,
    apply: () => Promise<T>,
    signal?: AbortSignal,
  ) =>
    send<T>(network, process, {
      text: `${process.machine.name} ${vault.name}.${operation} ${entry}`,
      target: `vault.${vault.name}`,
      isChange,
      staleness: vault.readBack,
      patience: null,
      lifetime: 5 * MINUTE,
      signal,
      refuse: (refusal) => vaultError(refusal, vault.name, entry),
      apply: async (lag) => {
        vault.setReadLag(lag);
        try {
          return await apply();
        } finally {
          vault.setReadLag(0);
        }
      },
    });
  const look = <T>(operation: string, ref: EntryRef, apply: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    const askedAt = network.time.now;
    return call(operation, ref.entry, false, apply, signal).then((seen) => {
      witness.looked(process, vault.name, ref.entry, askedAt);
      return seen;
    });
  };
  const write = <T>(operation: string, ref: EntryRef, apply: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    const sentAt = network.time.now;
    const applied = async () => {
      const answer = await apply();
      witness.wrote(process, vault.name, ref.entry, sentAt);
      return answer;
    };
    return call(operation, ref.entry, true, applied, signal);
  };
  return {
    name: vault.name,
    type: vault.type,
    identity: vault.identity,
    capabilities: vault.capabilities,
    readBack: vault.readBack,
    describe: (ref, options, signal) => look('describe', ref, () => vault.describe(ref, options), signal),
    read: (ref, signal) => look('read', ref, () => vault.read(ref), signal),
    deliver: (ref, payload: Payload, mark: Mark, expected, signal) =>
      write('deliver', ref, () => vault.deliver(ref, payload, mark, expected), signal),
    restoreMark: (ref, mark, expected, signal) =>
      write('restoreMark', ref, () => vault.restoreMark(ref, mark, expected), signal),
    rights: (_refs, signal) => call('rights', '', false, () => vault.rights([]), signal),
    close: () => Promise.resolve(),
  };
}

function vaultError(refusal: Refusal, vault: string, entry: string): VaultError {
  const fault = (
    {
      refused: 'unavailable',
      'no-answer': 'unavailable',
      throttled: 'throttled',
      error: 'unavailable',
      denied: 'denied',
      garbled: 'malformed',
    } as const
  )[refusal];
  return new VaultError(fault, `Vault '${vault}', entry '${entry}': ${refusal}`, { vault, entry });
}
