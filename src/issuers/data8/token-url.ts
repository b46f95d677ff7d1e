const WELL_KNOWN = '/.well-known/openid-configuration';

/**
 * Where the token endpoint is to be found. The rule: a `tokenUrl` without a path (`https://auth.example`, with or without
 * a slash) is an authority, and its discovery document names the endpoint; one that ends in
 * `/.well-known/openid-configuration` is that document itself; anything else is the token endpoint.
 */
export function tokenUrlKind(tokenUrl: string): { readonly kind: 'endpoint' | 'discovery'; readonly url: string } {
  const { pathname, origin } = new URL(tokenUrl);
  if (pathname === '/') return { kind: 'discovery', url: `${origin}${WELL_KNOWN}` };
  return { kind: pathname.endsWith(WELL_KNOWN) ? 'discovery' : 'endpoint', url: tokenUrl };
}
