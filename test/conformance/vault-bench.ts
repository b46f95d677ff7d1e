import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Mark } from '../../src/domain/mark.ts';
import type { Payload } from '../../src/domain/payload.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import type { EntryContent, EntryDescription, EntryRef, Vault } from '../../src/vaults/contract.ts';
import { hatchCanary } from './canary.ts';
import type { Canary } from './canary.ts';
import type { VaultFixture } from './vault-fixture.ts';

export type Present<T> = Extract<T, { state: 'present' }>;

/** What the cases of the vault suite share: places, values, and looks that wait as long as reading may lag. */
export class VaultBench {
  readonly fixture: VaultFixture;
  /** The vault under test; what it throws is kept. */
  readonly vault: Vault;
  readonly thrown: unknown[] = [];
  readonly canaries: Canary[] = [];
  #places = 0;

  constructor(fixture: VaultFixture) {
    this.fixture = fixture;
    this.vault = recording(fixture.vault, this.thrown);
  }

  /** A place that nothing is at yet. */
  place(label: string): EntryRef {
    this.#places += 1;
    const name = `suite-${label}-${this.#places}`;
    return this.fixture.makeRef?.(name) ?? { entry: this.fixture.type.entryOf(name, {}), options: {} };
  }

  /** An opaque payload that holds a fresh canary. */
  opaque(before = '', after = ''): Payload {
    return { form: 'opaque', content: SecretValue.of(before + this.canary() + after) };
  }

  fields(more: Readonly<Record<string, string | null>> = {}): Payload {
    return { form: 'fields', content: SecretValue.of(JSON.stringify({ clientSecret: this.canary(), ...more })) };
  }

  canary(): string {
    const canary = hatchCanary();
    this.canaries.push(canary);
    return canary.text;
  }

  /** Delivers over whatever is there. @returns the version. */
  async put(ref: EntryRef, payload: Payload, mark: Mark): Promise<string> {
    const seen = await this.vault.describe(ref);
    const { version } = await this.vault.deliver(ref, payload, mark, seen.state === 'absent' ? 'absent' : seen.version);
    await this.served(ref, mark);
    return version;
  }

  /** Waits until the entry serves `mark`, bound. */
  async served(ref: EntryRef, mark: Mark): Promise<Present<EntryDescription>> {
    const seen = await this.look(ref, (found) => found.binding === 'bound' && found.mark?.secretId === mark.secretId);
    expect(seen).toMatchObject({ mark, binding: 'bound' });
    return seen;
  }

  /** Describes, with proof, until `wanted` holds or the lag is over; the last look is given either way. */
  async look(ref: EntryRef, wanted: (found: Present<EntryDescription>) => boolean): Promise<Present<EntryDescription>> {
    const seen = await this.eventually(
      () => this.vault.describe(ref, { prove: true }),
      (found) => found.state === 'present' && wanted(found),
    );
    if (seen.state === 'absent') throw new Error(`The entry '${ref.entry}' is absent.`);
    return seen;
  }

  async readBack(ref: EntryRef, mark: Mark): Promise<Present<EntryContent>> {
    const seen = await this.eventually(
      () => this.vault.read(ref),
      (found) => found.state === 'present' && found.mark?.secretId === mark.secretId,
    );
    if (seen.state === 'absent') throw new Error(`The entry '${ref.entry}' is absent.`);
    return seen;
  }

  async eventually<T>(look: () => Promise<T>, wanted: (seen: T) => boolean): Promise<T> {
    const step = Math.max(20, this.vault.readBack / 50);
    for (let waited = 0; ; waited += step) {
      const seen = await look();
      if (wanted(seen) || waited >= this.vault.readBack) return seen;
      await (this.fixture.pass?.(step) ?? sleep(step));
    }
  }
}

/** A mark of generation `generation`, with characters that a careless vault loses. */
export function makeMark(generation: number, changes: Partial<Mark> = {}): Mark {
  return {
    instance: 'conformance',
    issuer: 'data8',
    credential: 'suite-client',
    generation,
    secretId: String(1000 + generation),
    deliveredAt: Date.UTC(2030, 0, 1, 12, 30, 0, 123) + generation,
    ...changes,
  };
}

/** The same vault; every error of a call is kept in `thrown` as well. */
function recording(vault: Vault, thrown: unknown[]): Vault {
  return new Proxy(vault, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      return async (...given: unknown[]): Promise<unknown> => {
        try {
          return (await Reflect.apply(member, target, given)) as unknown;
        } catch (error) {
          thrown.push(error);
          throw error;
        }
      };
    },
  });
}
