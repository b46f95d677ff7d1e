import { HOUR, MINUTE, SECOND } from '../domain/time.ts';
import type { App, HttpContext } from './context.ts';
import { EventStream } from './event-stream.ts';
import { eventStreamSchema, problems } from './output.ts';
import { HttpProblem } from './problem.ts';

/** A comment this often: proxies and idle time-outs see that the connection lives. */
const HEARTBEAT = 15 * SECOND;
/** Ended after this, so that no connection is for ever; clients come again by themselves. */
const LONGEST_STREAM = HOUR;
const MOST_STREAMS = 50;

/** `GET /v1/events`: server-sent events, as they happen. */
export function addEventRoutes(app: App, { feed, ticker }: HttpContext): void {
  const open = new Set<EventStream>();
  // a stream would hold up the closing for as long as its client stays
  app.addHook('preClose', (done) => {
    for (const stream of open) stream.finish();
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
      const stream = new EventStream(feed, typeof header === 'string' && header !== '' ? header : null);
      open.add(stream);
      const over = new AbortController();
      stream.once('close', () => {
        open.delete(stream);
        over.abort();
      });
      void beat(ticker, stream, over.signal, () => app.isStillAllowed(request, 'viewer'));
      // the schema is that of the text; a stream passes it by
      void reply.header('content-type', 'text/event-stream; charset=utf-8').send(stream as never);
    },
  );
}

async function beat(
  ticker: HttpContext['ticker'],
  stream: EventStream,
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
    stream.beat();
  }
  stream.finish();
}
