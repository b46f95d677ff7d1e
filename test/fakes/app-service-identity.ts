import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The identity endpoint of Azure App Service on the loopback address: gives a token to whoever knows its header. It is told
 * by environment, so a process that is configured with `method: managed-identity` needs no other seam to reach a fake.
 * https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
export class AppServiceIdentity {
  readonly #header = randomBytes(16).toString('hex');
  readonly #server;

  private constructor(token: string) {
    this.#server = createServer((request, response) => {
      const known = request.headers['x-identity-header'] === this.#header;
      const resource = new URL(request.url ?? '/', 'http://fake').searchParams.get('resource');
      const expires = Math.floor(Date.now() / 1000) + 3_600;
      const answer = { access_token: token, expires_on: String(expires), resource, token_type: 'Bearer' };
      response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
      response.end(JSON.stringify(known ? answer : { statusCode: 401, message: 'no such header' }));
    });
  }

  static async start(token: string): Promise<AppServiceIdentity> {
    const identity = new AppServiceIdentity(token);
    identity.#server.listen(0, '127.0.0.1');
    await once(identity.#server, 'listening');
    return identity;
  }

  /** What App Service puts into the environment of its programs. */
  get env(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return { IDENTITY_ENDPOINT: `http://127.0.0.1:${port}/msi/token`, IDENTITY_HEADER: this.#header };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
