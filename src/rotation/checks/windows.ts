import { formatInstant } from '../../domain/time.ts';
import { hold, pass } from '../decision.ts';
import type { Check } from '../decision.ts';
import { needOf } from '../need.ts';
import { queuedOf } from '../queued.ts';
import { wantedStart } from '../windows.ts';

/** A renewal waits for its maintenance window, where one comes in time. */
export const windowsCheck: Check = {
  name: 'windows',
  look(situation) {
    const { now, terms } = situation.observation;
    if (terms.kind !== 'managed' || terms.policy.windows === null) return pass('no windows are set');
    if (queuedOf(situation) !== null) return pass('a person asked for it: it waits for no window');
    const start = wantedStart(situation);
    if (start === null) return pass('nothing is due');
    if (start.at <= now) {
      return pass(start.inWindow ? 'a window is open' : 'no window comes in time: it goes ahead outside of them');
    }
    const at = formatInstant(start.at);
    const saw = start.inWindow ? `the next window opens at ${at}` : `no window comes before it is urgent, at ${at}`;
    const unblock = 'wait, ask for it with rekeyd rotate, or change `windows` of its policy';
    return hold(saw, 'outside-window', null, unblock, start.at, needOf(situation)?.reason ?? null);
  },
};
