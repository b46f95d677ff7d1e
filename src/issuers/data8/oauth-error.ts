/** An error of OAuth (RFC 6749, 5.2), as the token endpoint gave it. */
export interface OAuthError {
  readonly error: string;
  readonly status: number;
}

/** Errors that OAuth (RFC 6749, 5.2; RFC 8707) has a server say only once it knows that the client is who it says. */
const SAID_AFTER_AUTHENTICATION = new Set([
  'invalid_scope',
  'unauthorized_client',
  'invalid_grant',
  'unsupported_grant_type',
  'invalid_target',
]);

/**
 * What an error proves of the secret that was shown; `nothing`: it may be either. 401 is 'I do not know you', whatever the
 * word: there are servers that say unauthorized_client of a wrong secret.
 */
export function provenOfSecret({ error, status }: OAuthError): 'good' | 'bad' | 'nothing' {
  if (status === 401) return 'bad';
  if (error === 'invalid_client') return status === 403 ? 'nothing' : 'bad';
  return SAID_AFTER_AUTHENTICATION.has(error) ? 'good' : 'nothing';
}
