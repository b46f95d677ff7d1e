import { SecretValue } from '../../../src/domain/secret-value.ts';
import { DAY } from '../../../src/domain/time.ts';
import { latest } from '../../fakes/memory-issuer-history.ts';
import type { SimWorld } from '../sim-world.ts';
import { AFTERMATH, anyClient, anyPlace, one } from './means.ts';
import type { Act } from './means.ts';

/** What people do by hand in a vault, or at the issuer. */
export const HAND_INCIDENTS = {
  'rolled back': (world, draw) => {
    const place = anyPlace(world, draw('which'));
    if (place === null || !hasOlder(world, place)) return;
    world.disturb(world.time.now, world.time.now + AFTERMATH);
    world.byHand(place.vault, place.entry, 'roll a value back', (vault) => vault.rollBack(place.entry));
  },
  edited: (world, draw) => {
    const place = anyPlace(world, draw('which'));
    if (place === null) return;
    world.disturb(world.time.now, world.time.now + AFTERMATH);
    const content = SecretValue.of('{"clientSecret":"typed by hand"}');
    world.byHand(place.vault, place.entry, 'edit a value', (vault) =>
      vault.editByHand(place.entry, { form: 'fields', content }),
    );
  },
  emptied: (world, draw) => {
    const place = anyPlace(world, draw('which'));
    if (place === null) return;
    world.disturb(world.time.now, world.time.now + AFTERMATH);
    if (draw('how') < 0.5)
      world.byHand(place.vault, place.entry, 'empty an entry', (vault) => vault.makeEmpty(place.entry));
    else world.byHand(place.vault, place.entry, 'delete an entry', (vault) => vault.remove(place.entry));
  },
  unmarked: (world, draw) => {
    const place = anyPlace(world, draw('which'));
    if (place === null) return;
    world.byHand(place.vault, place.entry, 'strip a mark', (vault) => vault.removeMark(place.entry));
  },
  'secret deleted by hand': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const secretId = one(world.truth.alive(clientId), draw('which'));
    if (secretId === undefined) return;
    world.disturb(world.time.now, world.time.now + AFTERMATH);
    world.removeSecretByHand(clientId, secretId);
  },
  'secret made by hand': (world, draw) => {
    world.tell('people', 'make a secret at the issuer', null);
    world.addSecretByHand(anyClient(world, draw('client')), world.time.now + Math.floor(draw('life') * 10 * DAY), 0);
  },
  'marker removed': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const secretId = one(world.truth.alive(clientId), draw('which'));
    const secret = secretId === undefined ? null : world.issuer.find(clientId, secretId);
    if (secret === null) return;
    world.tell('people', 'take a marker off a description', `${clientId}/${secret.secretId}`);
    world.note(`unmarked ${clientId}`);
    const { description } = latest(secret.versions);
    const edited = draw('how') < 0.5 ? 'by hand' : description.slice(0, -5);
    world.issuer.editSecret(clientId, secret.secretId, { description: edited });
  },
} satisfies Record<string, Act>;

/** Whether the entry once held another value than it holds now. */
export function hasOlder(world: SimWorld, { vault, entry }: { vault: string; entry: string }): boolean {
  const found = world.vaults.get(vault);
  const present = found?.peek(entry)?.payload ?? null;
  if (found === undefined || present === null) return false;
  return found.history(entry).some(({ payload }) => payload !== null && !payload.content.equals(present.content));
}
