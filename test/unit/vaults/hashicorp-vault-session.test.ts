import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VaultError } from '../../../src/domain/errors.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/domain/time.ts';
import type { Log } from '../../../src/telemetry/log.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { Session } from '../../../src/vaults/hashicorp-vault/session.ts';
import type { Grant } from '../../../src/vaults/hashicorp-vault/session.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import type { ManualPorts } from '../../fakes/manual-ports.ts';

let ports: ManualPorts;
let session: Session;
/** What the server says to a renewal. */
let renewal: () => Grant;
/** When a renewal was tried, by the monotonic clock. */
let tries: number[];
let warnings: string[];

beforeEach(() => {
  ports = createManualPorts();
  tries = [];
  warnings = [];
});
afterEach(() => session.close(closed));

const closed = new VaultError('unavailable', 'closed', { vault: 'bao' });

/** A renewable token. @param lifetime in seconds. */
function grant(lifetime: number): Grant {
  return { token: SecretValue.of('a token'), lifetime, renewable: true };
}

function fail(fault: 'denied' | 'unavailable'): never {
  throw new VaultError(fault, 'not renewed', { vault: 'bao' });
}

/** Opens a session with a token of `lifetime` seconds. */
async function open(lifetime: number, canReplace = false): Promise<void> {
  const log: Log = { ...silentLog, warn: (event) => void warnings.push(event) };
  session = new Session(
    {
      canReplace,
      obtain: () => Promise.resolve(grant(lifetime)),
      renew: async () => {
        tries.push(ports.clock.monotonic());
        return renewal();
      },
      isAlive: () => Promise.resolve(true),
      revoke: () => Promise.resolve(),
    },
    ports,
    log,
  );
  await session.token();
}

/** In seconds, between the tries. */
function pauses(): number[] {
  return tries.slice(1).map((at, index) => (at - tries[index]!) / SECOND);
}

describe('a token that was given and cannot be renewed', () => {
  it.each(['denied', 'unavailable'] as const)(
    'is tried at doubling pauses, and sooner again as its end comes near: %s',
    async (fault) => {
      renewal = () => fail(fault);
      await open(3600);
      await ports.clock.advance(HOUR);
      expect(tries[0]).toBe(40 * MINUTE);
      expect(pauses().slice(0, 12)).toEqual([5, 10, 20, 40, 80, 160, 320, 280, 140, 70, 35, 17.5]);
      expect(tries.at(-1)).toBeGreaterThan(HOUR - 7 * SECOND); // it counts as over 5 s before its end
      expect(tries.length).toBeLessThan(20);
      expect(warnings).toEqual(tries.map(() => 'vault-token-not-renewed'));
    },
  );

  it('is tried every ten minutes at least, however long it lives', async () => {
    renewal = () => fail('unavailable');
    await open((32 * DAY) / SECOND);
    await ports.clock.advance(2 * DAY);
    expect(Math.max(...pauses())).toBe(600);
    expect(pauses().slice(7)).toEqual(
      pauses()
        .slice(7)
        .map(() => 600),
    );
    expect(tries.length).toBeGreaterThan(140);
  });

  it.each([41, 50, 55, 59])('is renewed before its end where the server is back after %i minutes', async (minutes) => {
    renewal = () => (ports.clock.monotonic() < minutes * MINUTE ? fail('unavailable') : grant(3600));
    await open(3600);
    await ports.clock.advance(HOUR - 5 * SECOND);
    expect(tries.at(-1)).toBeGreaterThanOrEqual(minutes * MINUTE);
  });

  it('is tried as at first again once a renewal has come about', async () => {
    renewal = () => (tries.length === 8 ? grant(60) : fail('unavailable'));
    await open(3600);
    await ports.clock.advance(HOUR);
    expect(pauses().slice(0, 10)).toEqual([5, 10, 20, 40, 80, 160, 320, 40, 5, 5]);
  });
});

describe('a token that is used by many', () => {
  it('fails to be renewed once for all of them', async () => {
    renewal = () => fail('unavailable');
    await open(3600, true);
    await ports.clock.advance(45 * MINUTE);
    const use = async (): Promise<void> => {
      await Promise.all(Array.from({ length: 4 }, () => session.token()));
      await ports.clock.settle();
    };
    for (let second = 0; second <= 16; second++) {
      await use();
      await ports.clock.advance(SECOND);
    }
    expect(pauses()).toEqual([5, 10]);
    expect(warnings).toHaveLength(3);
  });
});
