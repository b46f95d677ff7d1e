/** What a secret at the issuer is to rekeyd. Documented in docs/states.md. */
export const SECRET_ROLES = ['current', 'superseded', 'pending', 'unmanaged', 'orphan'] as const;
export type SecretRole = (typeof SECRET_ROLES)[number];
