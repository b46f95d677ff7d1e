import type { OidcSettings } from '../../../src/config/settings.ts';
import type { KeyTimes } from '../../../src/oidc/keys.ts';
import type { OidcIssuer } from '../../fakes/oidc-issuer.ts';
import { OPERATOR, serve, sha256 } from './fake-daemon.ts';
import type { Running } from './fake-daemon.ts';

/** Its time-out is what a busy machine takes for an answer, and only one test waits for it. */
export const QUICK: KeyTimes = { timeout: 4_000, cooldown: 0, maxAge: 60_000, afterFailure: 0 };

/** An operator for `deployer`, a viewer for all the others. */
export function trusting(issuer: Pick<OidcIssuer, 'url'>, change: Partial<OidcSettings> = {}): OidcSettings {
  return {
    issuer: issuer.url,
    audience: 'rekeyd',
    jwksUrl: null,
    ca: null,
    tokenFile: null,
    roles: [
      { claim: 'sub', match: 'deployer', role: 'operator' },
      { claim: 'groups', match: 'ops-*', role: 'operator' },
      { claim: 'sub', match: 'watcher-*', role: 'viewer' },
    ],
    name: 'sub',
    ...change,
  };
}

/** The interface, with one static token and these issuers. */
export function serveTrusting(oidc: readonly OidcSettings[], keyTimes: KeyTimes = QUICK): Promise<Running> {
  return serve({
    keyTimes,
    settings: {
      host: '127.0.0.1',
      port: 0,
      requestsPerSecond: 100_000,
      socket: null,
      tokens: [{ name: 'ci', role: 'operator', sha256: sha256(OPERATOR) }],
      oidc,
    },
  });
}
