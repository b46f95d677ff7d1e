import { z } from 'zod';
import { DAY, MINUTE } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { LogLevelView } from '../telemetry/log-level.ts';
import { LOG_LEVELS } from '../telemetry/log-levels.ts';
import { callerOf } from './access.ts';
import type { App, HttpContext } from './context.ts';
import { logLevelBody } from './input.ts';
import { problems } from './output.ts';
import { endOf } from './until.ts';
import type { Until } from './until.ts';
import { HttpProblem } from './problem.ts';

/** How long a change holds where nobody says. */
const USUAL = 15 * MINUTE;
/** The longest that is taken: what is to stay is `REKEYD_LOG_LEVEL`. */
const LONGEST = DAY;

const logLevelSchema: z.ZodType<LogLevelView, LogLevelView> = z.object({
  level: z.enum(LOG_LEVELS),
  configured: z.enum(LOG_LEVELS),
  until: z.string().nullable(),
});

/** How much is logged, for a while. */
export function addLogLevelRoutes(app: App, { logLevel, clock }: HttpContext): void {
  app.get(
    '/v1/log-level',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'getLogLevel',
        summary: 'How much is logged',
        response: { 200: logLevelSchema, ...problems },
      },
    },
    () => logLevel.view,
  );

  app.put(
    '/v1/log-level',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'setLogLevel',
        summary: 'Log more or less for a while',
        body: logLevelBody,
        response: { 200: logLevelSchema, ...problems },
      },
    },
    (request) => {
      const { level, until } = request.body;
      return logLevel.set(level, changeEnd(until, clock.now()), callerOf(request).actor);
    },
  );
}

function changeEnd(until: Until, now: Instant): Instant {
  const end = endOf(until, now) ?? now + USUAL;
  if (end <= now + LONGEST) return end;
  throw new HttpProblem('invalid', 'See `errors` for each place that is not valid.', {
    errors: [{ in: 'body', key: 'until', message: 'must be within 24 hours' }],
  });
}
