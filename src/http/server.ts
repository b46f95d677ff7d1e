import type { HttpSettings } from '../config/settings.ts';
import type { Ticker } from '../domain/ports.ts';
import { SECOND } from '../domain/time.ts';
import { identifyBySocket, identifyByToken } from './access.ts';
import { AddressLimiter } from './address-limiter.ts';
import { createApp, TIMEOUTS } from './app.ts';
import type { HttpTimeouts } from './app.ts';
import type { App, HttpContext } from './context.ts';
import { listenError } from './listen-error.ts';
import { placeSocket } from './local-socket.ts';
import { addRoutes } from './routes.ts';

export interface HttpOptions extends HttpContext {
  readonly settings: HttpSettings;
  readonly ticker: Pick<Ticker, 'sleep'>;
  /** For tests. */
  readonly timeouts?: HttpTimeouts;
}

/** Where it listens. */
export interface HttpAddress {
  /** `http://127.0.0.1:8080`, with the port that was taken where 0 was asked for. */
  readonly url: string;
  readonly port: number;
  readonly socket: string | null;
}

export interface HttpServer {
  /** Opens port and socket. @throws ListenError where either cannot be; then neither is open. */
  start(): Promise<HttpAddress>;
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

  async function openPort(): Promise<{ url: string; port: number }> {
    const app = createApp(options, {
      identify: identifyByToken(settings.tokens),
      timeouts,
      limiter: new AddressLimiter(settings.requestsPerSecond, options.clock),
      addRoutes,
    });
    // Fastify would open a second server for localhost's other address, which none of our limits hold for.
    const host = settings.host === 'localhost' ? '127.0.0.1' : settings.host;
    try {
      await app.listen({ host, port: settings.port });
    } catch (error) {
      await app.close();
      throw listenError('port', `${settings.host}:${settings.port}`, error);
    }
    open.push(() => closeApp(app, ticker));
    const address = app.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : settings.port;
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

  return {
    close,
    start: async () => {
      try {
        const { url, port } = await openPort();
        if (settings.socket !== null) await openSocket(settings.socket);
        const tokens = settings.tokens.length;
        log.info('http-listening', 'the HTTP interface is open', { url, socket: settings.socket, tokens });
        return { url, port, socket: settings.socket };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
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
