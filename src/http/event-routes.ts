import { Readable } from 'node:stream';
import { HOUR, MINUTE, SECOND } from '../domain/time.ts';
import type { Published } from '../telemetry/feed.ts';
import type { App, HttpContext } from './context.ts';
import { eventStreamSchema, problems } from './output.ts';
import { HttpProblem } from './problem.ts';

/** A comment this often: proxies and idle time-outs see that the connection lives. */
const HEARTBEAT = 15 * SECOND;
/** Ended after this, so that no connection is for ever; clients come again by themselves. */
const LONGEST_STREAM = HOUR;
/** Bytes that may wait for a client that reads slowly. */
const PATIENCE = 256 * 1_024;
const MOST_STREAMS = 50;

/** `GET /v1/events`: server-sent events, as they happen. */
export function addEventRoutes(app: App, { feed, ticker }: HttpContext): void {
  const open = new Set<Readable>();
  // a stream would hold up the closing for as long as its client stays
  app.addHook('preClose', (done) => {
    for (const stream of open) stream.push(null);
    done();
  });

  app.get(
    '/v1/events',
    {
      config: { access: 'viewer' },
      // a HEAD would open a stream that nobody reads
      exposeHeadRoute: false,
      handlerTimeout: LONGEST_STREAM + MINUTE,
      schema: {
        operationId: 'streamEvents',
        summary: 'What happens, as it happens',
        produces: ['text/event-stream'],
        response: { 200: eventStreamSchema, ...problems },
      },
    },
    (request, reply) => {
      if (open.size >= MOST_STREAMS) {
        throw new HttpProblem('too-soon', 'Too many streams of events are open.', { headers: { 'retry-after': '30' } });
      }
      const header = request.headers['last-event-id'];
      const stream = new Readable({ read: () => undefined });
      open.add(stream);
      const over = new AbortController();
      const write = (text: string): void => {
        stream.push(text);
        // it can have again what it missed: by Last-Event-ID
        if (stream.readableLength > PATIENCE) stream.destroy();
      };
      write('retry: 5000\n\n');
      const { missed, events } = feed.after(typeof header === 'string' && header !== '' ? header : null);
      if (missed) write('event: missed\ndata: {"type":"missed"}\n\n');
      for (const event of events) write(frame(event));
      const unlisten = feed.listen((event) => write(frame(event)));
      stream.once('close', () => {
        open.delete(stream);
        unlisten();
        over.abort();
      });
      void beat(ticker, stream, write, over.signal, () => app.isStillAllowed(request, 'viewer'));
      // the schema is that of the text; a stream passes it by
      void reply.header('content-type', 'text/event-stream; charset=utf-8').send(stream as never);
    },
  );
}

function frame({ id, type, json }: Published): string {
  return `id: ${id}\nevent: ${type}\ndata: ${json}\n\n`;
}

async function beat(
  ticker: HttpContext['ticker'],
  stream: Readable,
  write: (text: string) => void,
  over: AbortSignal,
  isAllowed: () => Promise<boolean>,
): Promise<void> {
  for (let open = 0; open < LONGEST_STREAM; open += HEARTBEAT) {
    try {
      await ticker.sleep(HEARTBEAT, over);
    } catch {
      return; // the client is gone
    }
    if (!(await isAllowed())) break; // its token is over, or was taken out
    write(': still here\n\n');
  }
  stream.push(null);
}
