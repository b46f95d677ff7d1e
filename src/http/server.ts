import { isSame } from '../config/changes.ts';
import type { HttpSettings } from '../config/settings.ts';
import type { Ticker } from '../domain/ports.ts';
import { SECOND } from '../domain/time.ts';
import { identifyBySocket, identifyByToken } from './access.ts';
import type { Identify, IdentifyJwt } from './access.ts';
import { AddressLimiter } from './address-limiter.ts';
import { createApp, TIMEOUTS } from './app.ts';
import type { HttpTimeouts, WayIn } from './app.ts';
import type { App, HttpContext } from './context.ts';
import { addHealthRoutes } from './health-routes.ts';
import { listenError } from './listen-error.ts';
import type { KeyTimes } from '../oidc/keys.ts';
import { placeSocket } from './local-socket.ts';
import { addRoutes } from './routes.ts';

export interface HttpOptions extends HttpContext {
  readonly settings: HttpSettings;
  readonly ticker: Pick<Ticker, 'sleep'>;
  /** For tests. */
  readonly timeouts?: HttpTimeouts;
  readonly keyTimes?: KeyTimes;
}

/** Where it listens. */
export interface HttpAddress {
  /** `http://127.0.0.1:8080`, with the port that was taken where 0 was asked for. */
  readonly url: string;
  readonly port: number;
  /** The URL of the second port; null: there is none. */
  readonly health: string | null;
  readonly socket: string | null;
}

export interface HttpServer {
  /** Opens port and socket. @throws ListenError where either cannot be; then neither is open. */
  start(): Promise<HttpAddress>;
  /**
   * Takes over tokens, issuers of JWTs and `requestsPerSecond`, for the next request on; open connections stay. The rest
   * needs a restart.
   */
  adopt(settings: HttpSettings): Promise<void>;
  /** Closes both, once what was asked is answered; who is still sending after {@link PATIENCE} is cut off. */
  close(): Promise<void>;
}

/** How long closing waits for clients. */
export const PATIENCE = 2 * SECOND;

/**
 * The HTTP interface: over the port with tokens, over the local socket as operator. Two Fastify instances, so that a
 * request's way in, not anything in it, decides who it comes from.
 */
export function createHttpServer(options: HttpOptions): HttpServer {
  const { settings, ticker, log } = options;
  const timeouts = options.timeouts ?? TIMEOUTS;
  /** Opened last, closed first. */
  const open: (() => Promise<void>)[] = [];

  let known: Identify = identifyByToken([]);
  const limiter = new AddressLimiter(settings.requestsPerSecond, options.clock);
  const overNetwork = { timeouts, limiter, trustProxy: settings.trustProxy ?? [] };

  async function openPort(way: WayIn, wanted: { host: string; port: number }): Promise<{ url: string; port: number }> {
    const app = createApp(options, way);
    // Fastify would open a second server for localhost's other address, which none of our limits hold for.
    const host = wanted.host === 'localhost' ? '127.0.0.1' : wanted.host;
    try {
      await app.listen({ host, port: wanted.port });
    } catch (error) {
      await app.close();
      throw listenError('port', `${wanted.host}:${wanted.port}`, error);
    }
    open.push(() => closeApp(app, ticker));
    const address = app.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : wanted.port;
    return { port, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}` };
  }

  async function openSocket(path: string): Promise<void> {
    const app = createApp(options, { identify: identifyBySocket, timeouts, limiter: null, addRoutes });
    try {
      const remove = await placeSocket(path, async (at) => {
        await app.listen({ path: at });
      });
      open.push(async () => {
        await remove();
        await closeApp(app, ticker);
      });
    } catch (error) {
      await app.close();
      throw listenError('socket', path, error);
    }
  }

  async function close(): Promise<void> {
    while (open.length > 0) await open.pop()?.();
  }

  let present = settings;
  return {
    close,
    adopt: async (next) => {
      limiter.adjust(next.requestsPerSecond);
      if (isSame([present.tokens, present.oidc], [next.tokens, next.oidc])) return;
      present = next;
      known = identifyByToken(next.tokens, await jwtOf(next, options));
    },
    start: async () => {
      try {
        known = identifyByToken(settings.tokens, await jwtOf(settings, options));
        const identify: Identify = (request) => known(request);
        const { url, port } = await openPort({ ...overNetwork, identify, addRoutes }, settings);
        // nobody is known there: it has no route that asks who it is
        const nobody = { ...overNetwork, identify: identifyByToken([]), addRoutes: addHealthRoutes };
        const health = settings.health == null ? null : await openPort(nobody, settings.health);
        if (settings.socket !== null) await openSocket(settings.socket);
        const tokens = settings.tokens.length;
        log.info('http-listening', 'the HTTP interface is open', {
          url,
          ...(health === null ? {} : { health: health.url }),
          socket: settings.socket,
          tokens,
        });
        return { url, port, health: health?.url ?? null, socket: settings.socket };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}

/** Loads what reads JWTs only where an issuer of them is configured. */
async function jwtOf({ oidc = [] }: HttpSettings, { clock, log, keyTimes }: HttpOptions): Promise<IdentifyJwt | null> {
  if (oidc.length === 0) return null;
  const { createIdentifyJwt } = await import('./oidc/jwt.ts');
  return createIdentifyJwt(oidc, { clock, log, ...(keyTimes && { times: keyTimes }) });
}

async function closeApp(app: App, ticker: Pick<Ticker, 'sleep'>): Promise<void> {
  const done = new AbortController();
  const impatience = ticker.sleep(PATIENCE, done.signal).then(
    () => app.server.closeAllConnections(),
    () => undefined, // closed in time
  );
  await app.close();
  done.abort();
  await impatience;
}
