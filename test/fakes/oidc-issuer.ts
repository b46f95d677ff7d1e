import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import type { SelfSigned } from './self-signed.ts';

interface Key {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** An OIDC issuer on a loopback port: discovery, keys, tokens. Every request is kept. */
export class OidcIssuer implements AsyncDisposable {
  readonly url: string;
  readonly requests: { readonly path: string; readonly authorization: string | null }[] = [];
  /** Answers instead of the issuer, until it is null again. */
  answer: ((response: ServerResponse, path: string) => void) | null = null;
  /** Keys that it tells of; the last one signs. */
  keys: Key[] = [];
  #made = 0;
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  /** @param tls serve https with this certificate. */
  static async start({ alg = 'ES256', tls = null }: { alg?: string; tls?: SelfSigned | null } = {}) {
    const listen = (request: IncomingMessage, response: ServerResponse): void => issuer.#serve(request, response);
    const server = tls === null ? createHttpServer(listen) : createHttpsServer(tls, listen);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const issuer: OidcIssuer = new OidcIssuer(
      `${tls === null ? 'http' : 'https'}://127.0.0.1:${port}`,
      () =>
        new Promise((resolve) => {
          server.closeAllConnections();
          server.close(() => resolve());
        }),
    );
    await issuer.addKey(alg);
    return issuer;
  }

  async addKey(alg = 'ES256'): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${(this.#made += 1)}`;
    this.keys.push({ kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } });
  }

  /** Signs claims. What is left out: this issuer, the audience `rekeyd`, the subject `deployer`, an end in ten minutes. */
  sign(
    claims: Readonly<Record<string, unknown>>,
    { now, key = this.keys.at(-1) }: { now: number; key?: Key | undefined },
  ): Promise<string> {
    if (key === undefined) throw new Error('it has no key');
    const seconds = Math.floor(now / 1000);
    return new SignJWT({ iss: this.url, aud: 'rekeyd', sub: 'deployer', exp: seconds + 600, ...claims })
      .setProtectedHeader({ alg: key.alg, kid: key.kid })
      .sign(key.privateKey);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.requests.push({ path, authorization: request.headers.authorization ?? null });
    if (this.answer !== null) {
      this.answer(response, path);
      return;
    }
    const documents: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer: this.url, jwks_uri: `${this.url}/keys` },
      '/keys': { keys: this.keys.map(({ publicJwk }) => publicJwk) },
    };
    const document = documents[path];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  }
}
