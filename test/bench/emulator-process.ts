import { createEmulator } from '../../src/emulator/emulator.ts';
import type { Emulator } from '../../src/emulator/emulator.ts';
import type { Seed } from '../../src/emulator/seed.ts';
import { serve } from './remote.ts';

/** Where the emulator is, and who may use it. */
export interface EmulatorPlace {
  readonly baseUrl: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const TEN_YEARS = 10 * 365 * 24 * 60 * 60;

let emulator: Emulator | null = null;
let ahead = 0;

const implementation = {
  /** Its access tokens outlive every jump of its clock. */
  async open(seed: Seed): Promise<EmulatorPlace> {
    emulator = await createEmulator({ seed, tokenLifetime: TEN_YEARS, now: () => Date.now() + ahead });
    const { url, tokenUrl, bootstrap } = emulator;
    return { baseUrl: url, tokenUrl, clientId: bootstrap.clientId, clientSecret: bootstrap.clientSecret ?? '' };
  },

  advance(by: number): void {
    ahead += by;
  },

  /** Requests by operation since the last time that this was asked: the emulator's own word, not the daemon's. */
  takeRequests(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { operation } of emulator?.log.entries() ?? []) {
      counts[operation ?? 'unknown'] = (counts[operation ?? 'unknown'] ?? 0) + 1;
    }
    emulator?.log.clear();
    return counts;
  },

  /** How many of the seeded credentials have how many secrets. */
  secretsPerCredential(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { administrator, secrets } of emulator?.account.credentials() ?? []) {
      if (!administrator) counts[secrets.size] = (counts[secrets.size] ?? 0) + 1;
    }
    return counts;
  },
};

export type EmulatorCalls = typeof implementation;
serve(implementation);
