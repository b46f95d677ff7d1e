import { RekeydError } from '../domain/errors.ts';

/** The keys of an issuer cannot be had: whether a token is one of its own cannot be told now. */
export class KeysUnavailable extends RekeydError {
  override readonly name = 'KeysUnavailable';
  readonly code = 'oidc.keys-unavailable';

  constructor(message = 'they could not be had a moment ago') {
    super(message);
  }
}
