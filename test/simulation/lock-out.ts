import { SecretValue } from '../../src/domain/secret-value.ts';
import { DAY, HOUR } from '../../src/domain/time.ts';
import type { Duration, Instant } from '../../src/domain/time.ts';
import { OWN_CLIENT, OWN_VAULT } from './own-client.ts';
import type { SimWorld } from './sim-world.ts';

/** So long it takes until somebody sees that rekeyd is refused. */
const SEEN_AFTER: Duration = 6 * HOUR;

/** Who lost what it lives on after so long a time in which nothing was out of order has nobody but itself to blame. */
const CALM: Duration = DAY;

/**
 * S16: rekeyd does not lock itself out. Where people took away or broke what it lives on, they put a new secret of it there
 * by hand, as docs/operations.md says.
 */
export function mendLockOuts(world: SimWorld): void {
  let since: Instant | null = null;
  let heldAt: Instant = world.time.start - CALM;
  const look = async (): Promise<void> => {
    world.time.after(HOUR, () => void look());
    // `blocked` or `paused`: it has asked for a person; not delivered there: a person told it to leave that secret alone
    if (!isDelivered(world) || (await world.held()).has(OWN_CLIENT)) heldAt = world.time.now;
    const { secretId } = world.truth.serving.get(`${OWN_VAULT}/${OWN_CLIENT}`) ?? { secretId: null };
    const isIn = secretId !== null && world.issuer.isAlive(OWN_CLIENT, secretId, world.time.now);
    since = isIn ? null : (since ?? world.time.now);
    if (since === null || world.time.now - since < SEEN_AFTER) return;
    const calm = world.longestCalm(since - CALM, world.time.now);
    if (calm >= CALM + SEEN_AFTER && heldAt < since - CALM)
      world.violate('S16', 'rekeyd has locked itself out: nobody else was at it');
    const made = world.addSecretByHand(OWN_CLIENT, world.time.now + 4 * DAY, 0);
    const fields = { clientId: OWN_CLIENT, clientSecret: made.value, secretId: made.secretId };
    const content = SecretValue.of(JSON.stringify(fields));
    world.disturb(world.time.now, world.time.now + SEEN_AFTER);
    world.byHand(OWN_VAULT, OWN_CLIENT, 'let rekeyd in again', (vault) =>
      vault.putForeign(OWN_CLIENT, { form: 'fields', content }),
    );
  };
  void look();
}

/** Whether the configuration in force has what rekeyd lives on renewed where it is read. */
function isDelivered({ config }: SimWorld): boolean {
  return !config.suspended.has(OWN_CLIENT) && (config.deliver.get(OWN_CLIENT) ?? []).includes(OWN_VAULT);
}
