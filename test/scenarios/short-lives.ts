import { expect } from 'vitest';
import type { Policy } from '../../src/config/settings.ts';
import type { Payload } from '../../src/domain/payload.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Duration } from '../../src/domain/time.ts';
import { Stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

/** A policy whose whole cycle takes half a day, for scenarios that are run many times. */
export const SHORT: Partial<Policy> = {
  lifetime: 12 * HOUR,
  renewBefore: 3 * HOUR,
  grace: HOUR,
  provisional: 30 * MINUTE,
  verify: { method: 'token', timeout: MINUTE, settle: 10 * SECOND },
};

/** Lets time pass, and holds the issuer and the vaults to it that consumers are let in all the while. */
export async function passServed(
  stage: Stage,
  clientId: string,
  duration: Duration,
  where = '',
  step: Duration = 10 * MINUTE,
): Promise<void> {
  for (let left = duration; left > 0; left -= step) {
    await stage.pass(Math.min(step, left), step);
    expect(await stage.allServedAlive(clientId), `${where}: what is served is alive`).toBe(true);
  }
}

/** What somebody else than rekeyd put into a vault: the default format, `secretId` null where it is not named. */
export function payloadOf(clientId: string, clientSecret: string, secretId: string | null): Payload {
  const named = secretId === null ? {} : { secretId };
  return { form: 'fields', content: SecretValue.of(JSON.stringify({ clientId, clientSecret, ...named })) };
}

/** How many creations were sent within the last `within`. */
export function created(stage: Stage, within: Duration): number {
  const since = stage.clock.now() - within;
  return stage.issuer.calls.filter((each) => each.operation === 'createSecret' && each.at > since).length;
}

/** Limits under which a daemon that dies again and again still makes what it needs within a day. */
export const MANY_CREATIONS: StageOptions = { limits: { createsPerDay: 6 } };

/** A stage with {@link SHORT} lives whose only daemon crashed, or stopped, before a renewal that is due by now. */
export async function beforeRenewal(options: StageOptions = {}, end: 'crash' | 'stop' = 'crash'): Promise<Stage> {
  const stage = new Stage({ policy: SHORT, ...options });
  stage.issuer.addCredential('shop');
  await stage.start();
  await stage.pass(9 * HOUR - 10 * MINUTE, HOUR);
  if (end === 'stop') await stage.stop();
  else stage.crash();
  await stage.pass(15 * MINUTE);
  return stage;
}
