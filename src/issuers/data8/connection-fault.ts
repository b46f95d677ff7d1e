/** Errors that come before the first byte of a request is sent: no address, no connection, no trust. */
const BEFORE_SENDING = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** What a failed connection tells, with nothing of the HTTP library left in it. */
export interface ConnectionFault {
  /** The system's code (`ECONNRESET`); null where there was none. */
  readonly code: string | null;
  /** True where surely nothing was sent. */
  readonly beforeSending: boolean;
}

/** Looks through an error of ky or fetch, and what it wraps, for the system's code. */
export function connectionFault(error: unknown): ConnectionFault {
  let inner: unknown = error;
  for (let depth = 0; depth < 8 && inner instanceof Error; depth++) {
    const code = 'code' in inner && typeof inner.code === 'string' ? inner.code : null;
    if (code !== null && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) {
      return { code, beforeSending: BEFORE_SENDING.has(code) };
    }
    inner = inner.cause;
  }
  return { code: null, beforeSending: false };
}
