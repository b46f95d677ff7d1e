import { compareMarks } from '../../../src/domain/mark.ts';
import type { Mark } from '../../../src/domain/mark.ts';
import { parseMarker } from '../../../src/domain/marker.ts';
import { describeState } from '../../../src/vaults/memory-entries.ts';
import type { Invariant, Witnessed } from './invariant.ts';

/**
 * S6: generations at a destination never go back; without compare-and-set a write that was on its way may overtake, and is
 * repaired (L1 sees to that).
 */
export function generationsGoForward(world: Witnessed): Invariant {
  const { truth } = world;
  const marks = new Map<string, Mark | null>();
  return {
    placeChanged: (vault, entry, by) => {
      const place = `${vault}/${entry}`;
      const before = marks.get(place) ?? null;
      const state = truth.vaults.get(vault)?.peek(entry) ?? null;
      // a mark that does not describe the value, or that of an empty entry, says nothing of the order
      const mark = state !== null && describeState(state).binding === 'bound' ? state.mark : null;
      marks.set(place, mark);
      if (by === 'hand' || before === null || mark === null || compareMarks(mark, before) >= 0) return;
      if (truth.vaults.get(vault)?.capabilities.compareAndSet === false) return;
      world.violate(
        'S6',
        `${place} went back from generation ${before.generation} (${before.secretId}) to ${mark.generation} (${mark.secretId})`,
      );
    },
  };
}

/** S7: every change at the issuer is preceded by a durable intent; each intent to create leads to one request, never two. */
export function intentsComeFirst(world: Witnessed): Invariant {
  const sent = new Set<string>();
  return {
    changing: (process, operation, clientId, about) => {
      const { ledger } = world.diskOf(process);
      const missing = (what: string) => world.violate('S7', `${process.id} ${operation} of ${clientId}: ${what}`);
      if (typeof about === 'string') {
        void ledger.credential({ issuer: 'data8', clientId }).then((record) => {
          const secret = record?.secrets.find((each) => each.secretId === about);
          if (secret?.deletingSince == null) missing(`nothing says that ${about} is to be deleted`);
        });
        return;
      }
      const rotationId = parseMarker(about.description)?.rotationId;
      if (rotationId === undefined) {
        missing('its description has no marker');
        return;
      }
      if (operation === 'createSecret') {
        if (sent.has(rotationId)) missing(`rotation ${rotationId} was sent before, and may have been carried out`);
        sent.add(rotationId);
      }
      void ledger.rotation(rotationId).then((rotation) => {
        if (rotation === null) missing(`the ledger does not know rotation ${rotationId}`);
        else if (operation === 'createSecret' && (rotation.state !== 'intended' || rotation.sentAt === null)) {
          missing(`rotation ${rotationId} is ${rotation.state}`);
        }
      });
    },
  };
}
