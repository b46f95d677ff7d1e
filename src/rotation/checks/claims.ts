import { hold, pass } from '../decision.ts';
import type { Check } from '../decision.ts';
import { pauseOf } from '../pauses.ts';
import { isForeign } from './repair.ts';

/** What a person must settle before anything is written for the credential, and the pause. */
export const claimChecks: readonly Check[] = [
  {
    name: 'paused',
    look(situation) {
      const pause = pauseOf(situation);
      if (pause === null) return pass('not paused');
      return hold('paused', 'paused', null, 'resume it over HTTP or with `rekeyd resume`', pause.until);
    },
  },
  {
    name: 'destinations-shared',
    look({ observation: { sharedWith } }) {
      if (sharedWith.length === 0) return pass('no other credential resolves to one of its destinations');
      return hold(
        `a destination is also that of ${sharedWith.join(', ')}`,
        'destination-shared',
        'blocked',
        'give each credential a destination of its own',
      );
    },
  },
  {
    name: 'destinations-pinned',
    look({ observation }) {
      if (!observation.moved) return pass('names resolve as they did at first delivery');
      return hold(
        'the description was edited, so that a destination has another name now',
        'destination-moved',
        'blocked',
        'put the description back, or confirm the new name with `forget` on the old destination',
      );
    },
  },
  {
    name: 'destinations-valid',
    look({ observation: { terms } }) {
      const [problem] = terms.kind === 'managed' ? terms.problems : [];
      if (problem === undefined) return pass('the vaults can hold all names');
      return hold(problem, 'destination-invalid', 'blocked', 'change the name in its rule');
    },
  },
  {
    name: 'entries-ours',
    look(situation) {
      const foreign = situation.observation.destinations.find(
        (each) => each.format !== null && isForeign(situation, each),
      );
      if (foreign === undefined) return pass('no destination holds an entry of somebody else');
      const marked = foreign.sight.state === 'present' && foreign.sight.mark !== null;
      return hold(
        `${foreign.vault} ${foreign.entry} ${marked ? 'carries the mark of another' : 'is not ours and could not be proven by a token'}`,
        'entry-foreign',
        'blocked',
        marked
          ? 'give the other owner or this rule another name'
          : 'put a valid secret of this credential there, take the entry away, or set `initial: rotate`',
      );
    },
  },
  {
    name: 'entries-writable',
    look({ observation }) {
      const locked = observation.destinations.find(
        (each) => each.format !== null && each.sight.state === 'present' && each.sight.locked !== undefined,
      );
      if (locked === undefined) return pass('no destination is locked');
      const why = locked.sight.state === 'present' ? (locked.sight.locked ?? '') : '';
      return hold(`${locked.vault} ${locked.entry}: ${why}`, 'destination-invalid', 'blocked', 'unlock the entry');
    },
  },
];
