/** The states of a credential. The first that holds, in this order, is told. Documented in docs/states.md. */
export const CREDENTIAL_STATES = [
  'ignored',
  'unmanaged',
  'paused',
  'blocked',
  'failing',
  'rotating',
  'grace',
  'due',
  'ok',
] as const;

/** `blocked`: a limit, a mark or a person must act. `failing`: the last attempt failed; it retries by itself. */
export type CredentialState = (typeof CREDENTIAL_STATES)[number];
