/**
 * What a plan may ask for. `issue`: make a new secret and deliver it. `deliver`: bring the present generation to a
 * destination that lacks it. `retire`: delete a superseded secret. `reap`: delete a leftover of ours that nothing serves.
 * `restore`: write a mark back that somebody took off. `none`: nothing now. Documented in docs/states.md.
 */
export const ACTIONS = ['issue', 'deliver', 'retire', 'reap', 'restore', 'none'] as const;
export type Action = (typeof ACTIONS)[number];
