/** The closed lists of a rotation. Documented in docs/states.md. */
export const ROTATION_STATES = ['intended', 'created', 'verified', 'delivering', 'grace', 'done', 'abandoned'] as const;
export type RotationState = (typeof ROTATION_STATES)[number];

/** The states in which a rotation is in flight: `grace` is not, a new one may start beside it. */
export const IN_FLIGHT = ['intended', 'created', 'verified', 'delivering'] as const satisfies RotationState[];

export const STEPS = ['intend', 'create', 'verify', 'extend', 'deliver', 'settle', 'retire'] as const;
export type Step = (typeof STEPS)[number];

export const OUTCOMES = ['ok', 'failed', 'lost', 'skipped'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const TRIGGERS = ['schedule', 'manual', 'startup'] as const;
export type Trigger = (typeof TRIGGERS)[number];

/** Whether nothing more will happen to the rotation. */
export function isFinished(state: RotationState): boolean {
  return state === 'done' || state === 'abandoned';
}

export function isInFlight(state: RotationState): boolean {
  return (IN_FLIGHT as readonly RotationState[]).includes(state);
}
