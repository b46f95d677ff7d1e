import type { Settings } from '../config/settings.ts';
import { ConfigError } from '../domain/errors.ts';
import type { Ports } from '../domain/ports.ts';
import type { Issuer, IssuerContext } from '../issuers/contract.ts';
import { createData8Api } from '../issuers/data8.ts';
import type { Data8Api } from '../issuers/data8/api.ts';
import type { Data8Options } from '../issuers/data8/options.ts';
import { issuerTypes } from '../issuers/registry.ts';
import type { Ledger } from '../ledger/contract.ts';
import { ledgerTypes } from '../ledger/registry.ts';
import { EVENT_NAMES } from '../telemetry/events.ts';
import type { Log } from '../telemetry/log.ts';
import type { Meter } from '../telemetry/meter.ts';
import type { Vault, VaultType } from '../vaults/contract.ts';
import { guardVault } from '../vaults/guarded.ts';
import { vaultTypes } from '../vaults/registry.ts';
import { ownSecretReader } from './own-secret.ts';

/** The registries, for the configuration's loader. */
export const backends = { issuers: issuerTypes, vaults: vaultTypes, ledgers: ledgerTypes, events: EVENT_NAMES };

/** What backends are opened with. */
export interface Surroundings {
  readonly ports: Ports;
  readonly log: Log;
  readonly meter: Meter;
  /** An issuer's raw section, read again; absent: the settings came from no file. */
  readonly reread?: (settings: Settings, issuer: string) => Promise<unknown>;
}

/** @throws ConfigError where no issuer has that name. */
export function openIssuer(settings: Settings, name: string, around: Surroundings): Issuer {
  const { type, options } = part('issuers', settings.issuers, name);
  return typeNamed('issuers', issuerTypes, type, name).create(options, issuerContext(settings, name, around));
}

/** The ten operations of an issuer of type data8. @throws ConfigError where no such issuer has that name. */
export function openData8(settings: Settings, name: string, around: Surroundings): Data8Api {
  const { type, options } = part('issuers', settings.issuers, name);
  if (type !== 'data8') throw problem(`issuers.${name}`, `is of type ${type}, not data8`);
  // The loader has put it through this very schema: the registry has only forgotten its type.
  return createData8Api(options as Data8Options, issuerContext(settings, name, around));
}

/** @throws ConfigError where no vault has that name, VaultError where it cannot be opened. */
export async function openVault(
  settings: Settings,
  name: string,
  around: Surroundings,
  readOnly = false,
): Promise<{ vault: Vault; type: VaultType }> {
  const { type: typeName, options, timeout, readBack, requestsPerSecond } = part('vaults', settings.vaults, name);
  const type = typeNamed('vaults', vaultTypes, typeName, name);
  const { ports, meter } = around;
  const log = around.log.with({ vault: name });
  const vault = await type.create(options, { ...ports, name, timeout, readBack, log, meter, readOnly });
  return { vault: guardVault(vault, { timeout, requestsPerSecond, ports, meter }), type };
}

/** @throws LedgerError where it cannot be opened. */
export async function openLedger(settings: Settings, readOnly: boolean, around: Surroundings): Promise<Ledger> {
  const type = typeNamed('ledger', ledgerTypes, settings.ledger.type, '');
  const ledger = await type.open(settings.ledger.options, { ...around.ports, log: around.log }, readOnly);
  if (ledger.setAside !== null) {
    around.log.warn('ledger-set-aside', 'the ledger could not be read, was set aside and is rebuilt from the world', {
      file: ledger.setAside,
    });
  }
  return ledger;
}

function issuerContext(settings: Settings, name: string, around: Surroundings): IssuerContext {
  const { ports, log, meter, reread } = around;
  const again = reread === undefined ? {} : { rereadOptions: () => reread(settings, name) };
  const readSecret = ownSecretReader(settings, (vault) => openVault(settings, vault, around, true));
  return { ...ports, name, log: log.with({ issuer: name }), meter, readSecret, ...again };
}

function part<T>(section: 'issuers' | 'vaults', all: ReadonlyMap<string, T>, name: string): T {
  const found = all.get(name);
  if (found !== undefined) return found;
  throw problem(section, `there is no '${name}'; there is ${[...all.keys()].join(', ') || 'none'}`);
}

function typeNamed<T>(section: string, types: ReadonlyMap<string, T>, type: string, name: string): T {
  const found = types.get(type);
  if (found !== undefined) return found;
  throw problem([section, name, 'type'].filter((key) => key !== '').join('.'), `there is no type '${type}'`);
}

function problem(key: string, message: string): ConfigError {
  return new ConfigError([{ file: null, line: null, column: null, key, message }]);
}
