import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { realPorts } from '../../src/compose/ports.ts';
import { SECOND } from '../../src/domain/time.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { silentMeter } from '../../src/telemetry/meter.ts';
import type { Vault } from '../../src/vaults/contract.ts';
import { fileVaultType } from '../../src/vaults/file.ts';
import type { EmulatedIssuer } from './emulated-issuer.ts';
import { pause } from './site.ts';

/** What an entry serves. `secretId` null: its format does not tell. */
export interface Serving {
  readonly value: string;
  readonly secretId: string | null;
}

/** One place that somebody's program reads its secret from. */
export interface Shelf {
  readonly name: string;
  readonly clientId: string;
  /** Null: nothing is there yet. */
  readonly read: () => Promise<Serving | null>;
}

/** An entry of a directory vault, as any program reads a file. `parse` reads its format. */
export function plainShelf(clientId: string, folder: string, entry: string, parse = parseJson): Shelf {
  const read = async (): Promise<Serving | null> => {
    try {
      return parse(await readFile(join(folder, entry), 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  };
  return { name: `plain:${entry}`, clientId, read };
}

/** An entry of a file vault, read through the vault's own code in this process. */
export function encryptedShelf(clientId: string, vault: Vault, entry: string): Shelf {
  const read = async (): Promise<Serving | null> => {
    const content = await vault.read({ entry, options: {} });
    if (content.state === 'absent') return null;
    return parseJson(content.payload?.content.reveal() ?? '');
  };
  return { name: `local:${entry}`, clientId, read };
}

/** A file vault, opened beside the daemon. */
export async function openFileVault(path: string, key: string): Promise<Vault> {
  const context = {
    ...realPorts,
    name: 'local',
    timeout: 5 * SECOND,
    readBack: SECOND,
    log: silentLog,
    meter: silentMeter,
  };
  return fileVaultType.create({ path, key }, context);
}

export function parseJson(text: string): Serving {
  const { clientSecret, secretId } = JSON.parse(text) as { clientSecret: string; secretId: string };
  return { value: clientSecret, secretId };
}

/** Reads all shelves again and again, and holds each value to the issuer: what is served is never to be dead. */
export class Consumer {
  /** What went wrong: each is a moment at which a program would have been locked out. */
  readonly complaints: string[] = [];
  /** How many values were held to the issuer. */
  looks = 0;
  /** Every value that was ever served. */
  readonly values = new Set<string>();
  readonly #issuer: EmulatedIssuer;
  readonly #shelves: readonly Shelf[];
  readonly #seen = new Set<string>();

  constructor(issuer: EmulatedIssuer, shelves: readonly Shelf[]) {
    this.#issuer = issuer;
    this.#shelves = shelves;
  }

  /** Until `signal` is aborted. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const shelf of this.#shelves) await this.#use(shelf);
      await pause(50);
    }
  }

  /** As a program does: it reads, tries, and where it is refused reads again; the same value once more is a dead one. */
  async #use(shelf: Shelf): Promise<void> {
    let refused: string | null = null;
    for (;;) {
      const serving = await this.#read(shelf);
      if (serving === null) return;
      if (serving.value === refused) {
        this.complaints.push(`${shelf.name} serves a dead value (secret ${serving.secretId ?? 'not named'})`);
        return;
      }
      this.values.add(serving.value);
      this.looks += 1;
      if (this.#issuer.accepts(shelf.clientId, serving.value)) return;
      refused = serving.value;
    }
  }

  async #read(shelf: Shelf): Promise<Serving | null> {
    try {
      const serving = await shelf.read();
      if (serving !== null) this.#seen.add(shelf.name);
      else if (this.#seen.has(shelf.name)) this.complaints.push(`${shelf.name} is empty again`);
      return serving;
    } catch (error) {
      this.complaints.push(`${shelf.name} could not be read: ${String(error)}`);
      return null;
    }
  }
}
