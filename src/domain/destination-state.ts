/**
 * What the last look at a destination showed. `served`: the current generation, bound. `behind`: an older one of ours.
 * `absent`: the vault says there is no entry. `foreign`: an entry that is not ours. `drifted`: our mark is gone or does not
 * describe the value. `unreachable`: the vault did not say. Documented in docs/states.md.
 */
export const DESTINATION_STATES = ['served', 'behind', 'absent', 'foreign', 'drifted', 'unreachable'] as const;
export type DestinationState = (typeof DESTINATION_STATES)[number];
