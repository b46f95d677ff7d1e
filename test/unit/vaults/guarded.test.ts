import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { LedgerError, VaultError } from '../../../src/domain/errors.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { silentMeter } from '../../../src/telemetry/meter.ts';
import type { Meter } from '../../../src/telemetry/meter.ts';
import { ABSENT } from '../../../src/vaults/contract.ts';
import type { Vault } from '../../../src/vaults/contract.ts';
import { guardVault } from '../../../src/vaults/guarded.ts';
import { MemoryVault } from '../../../src/vaults/memory.ts';
import { createTestContext } from '../../conformance/vault-context.ts';
import type { TestContext } from '../../conformance/vault-context.ts';
import { numberedMark, numberedPayload } from './numbered.ts';

const ref = { entry: 'orders', options: {} };

let context: TestContext;
let memory: MemoryVault;
let counted: string[];
let meter: Meter;

beforeEach(() => {
  context = createTestContext();
  memory = new MemoryVault(context);
  counted = [];
  meter = { ...silentMeter, vaultRequest: (...labels) => void counted.push(labels.join(' ')) };
});

function guard(vault: Vault, requestsPerSecond = 1000): Vault {
  return guardVault(vault, { timeout: 30_000, requestsPerSecond, ports: context, meter });
}

/** The memory vault, but describing does as it is told. */
function describing(work: Vault['describe']): Vault {
  return new Proxy(memory, {
    get(target, key) {
      if (key === 'describe') return work;
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

describe('the guard around a vault', () => {
  it('passes everything on as it is, and counts it', async () => {
    const vault = guard(memory);
    expect({ ...vault.capabilities, name: vault.name, type: vault.type, identity: vault.identity }).toEqual({
      ...memory.capabilities,
      name: 'under-test',
      type: 'memory',
      identity: 'memory:under-test',
    });
    expect(vault.readBack).toBe(60_000);
    await vault.describe(ref);
    const { version } = await vault.deliver(ref, numberedPayload(1, 'a'), numberedMark(1, 'a'), ABSENT);
    await vault.restoreMark(ref, numberedMark(2, 'a'), version);
    expect(await vault.read(ref)).toEqual(await memory.read(ref));
    await vault.rights([ref]);
    await expect(vault.deliver(ref, numberedPayload(2, 'a'), numberedMark(2, 'a'), ABSENT)).rejects.toThrow(VaultError);
    memory.deny();
    await expect(vault.read(ref)).rejects.toMatchObject({ fault: 'denied' });
    memory.mend();
    memory.goDown();
    await expect(vault.read(ref)).rejects.toMatchObject({ fault: 'unavailable' });
    expect(counted).toEqual([
      'under-test describe not-found',
      'under-test deliver ok',
      'under-test restore-mark ok',
      'under-test read ok',
      'under-test rights ok',
      'under-test deliver conflict',
      'under-test read denied',
      'under-test read error',
    ]);
    expect(context.clock.pending).toBe(0); // no timer is left behind
  });

  it('S10: ends a call that says nothing at the time-out, naming vault and entry, and tells the vault to stop', async () => {
    let told: AbortSignal | undefined;
    const vault = guard(
      describing((_ref, _options, signal) => {
        told = signal;
        return new Promise(() => undefined);
      }),
    );
    const call = vault.describe(ref);
    const outcome = expect(call).rejects.toMatchObject({
      fault: 'unavailable',
      vault: 'under-test',
      entry: 'orders',
      message: "Vault 'under-test', entry 'orders': no answer to describe in 30s.",
    });
    await context.clock.advance(29_999);
    expect(told?.aborted).toBe(false);
    await context.clock.advance(1);
    await outcome;
    expect(told?.aborted).toBe(true);
    expect(counted).toEqual(['under-test describe error']);
  });

  it('names the time-out, whatever a library throws when it is told to stop', async () => {
    const vault = guard(
      describing(
        (_ref, _options, signal) =>
          new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted by undici')))),
      ),
    );
    const outcome = expect(vault.describe(ref)).rejects.toThrow(/no answer to describe in 30s/);
    await context.clock.advance(30_000);
    await outcome;
  });

  it("gives the caller's own reason where the caller gives up, in the call or before its turn", async () => {
    const vault = guard(
      describing(() => new Promise(() => undefined)),
      1,
    );
    const reason = new Error('shutting down');
    const stop = new AbortController();
    const calls = [vault.describe(ref, {}, stop.signal), vault.describe(ref, {}, stop.signal)];
    const outcomes = calls.map((call) => expect(call).rejects.toBe(reason));
    await context.clock.settle();
    stop.abort(reason);
    await Promise.all(outcomes);
    expect(counted).toEqual([]);
    expect(context.clock.pending).toBe(0);
  });

  it('S1: turns whatever else is thrown into a VaultError without its words', async () => {
    const canary = 'canary-3f9c1d';
    const library = Object.assign(new Error(`bad value ${canary}`), { code: 'ECONNRESET', request: { body: canary } });
    for (const thrown of [library, canary, { value: canary }, null, new TypeError(canary, { cause: library })]) {
      for (const work of [
        async (): Promise<never> => {
          await Promise.resolve();
          throw thrown as Error;
        },
        (): never => {
          throw thrown as Error;
        },
      ]) {
        const error: unknown = await guard(describing(work))
          .describe(ref)
          .catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(VaultError);
        expect(error).toMatchObject({ fault: 'unavailable', entry: 'orders' });
        expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(canary);
      }
    }
    await expect(guard(describing(() => Promise.reject(library))).describe(ref)).rejects.toThrow(/ECONNRESET/);
    await expect(
      guard(describing(() => Promise.reject(new LedgerError('the disk is full')))).describe(ref),
    ).rejects.toThrow(/the disk is full/);
  });

  it('V11: holds a vault to its rate, and one slow vault does not hold up another', async () => {
    const slow = guard(memory, 2);
    const other = guard(new MemoryVault(createTestContext('other')), 2);
    const done: string[] = [];
    const calls = [1, 2, 3].map(async (turn) => {
      await slow.describe(ref);
      done.push(`slow ${turn}`);
    });
    const free = other.describe(ref).then(() => done.push('other'));
    await free;
    await context.clock.settle();
    expect(done.sort()).toEqual(['other', 'slow 1']);
    await context.clock.advance(500);
    expect(done).toContain('slow 2');
    expect(done).not.toContain('slow 3');
    await context.clock.advance(500);
    await Promise.all(calls);
  });

  it('does not count the wait for its turn towards the time-out', async () => {
    const vault = guard(memory, 0.01);
    const calls = [vault.describe(ref), vault.describe(ref)];
    await context.clock.advance(100_000);
    await expect(Promise.all(calls)).resolves.toHaveLength(2);
  });

  it('V12: never delivers an empty payload', async () => {
    const empty = { form: 'opaque', content: SecretValue.of('') } as const;
    await expect(guard(memory).deliver(ref, empty, numberedMark(1, 'a'), ABSENT)).rejects.toMatchObject({
      fault: 'rejected',
    });
    expect(memory.calls).toEqual([]);
  });

  it('closes once, and without waiting for a turn', async () => {
    let closed = 0;
    const vault = guard(
      new Proxy(memory, {
        get: (target, key) =>
          key === 'close' ? async () => void (closed += 1) : (Reflect.get(target, key, target) as unknown),
      }),
      0.001,
    );
    await vault.close();
    await vault.close();
    expect(closed).toBe(1);
  });
});
