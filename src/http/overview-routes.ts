import { z } from 'zod';
import { COVERAGE_LISTS } from '../daemon/overview.ts';
import type { CoverageView, ForecastView } from '../daemon/overview.ts';
import { DESTINATION_STATES } from '../domain/destination-state.ts';
import { REASONS } from '../domain/reason.ts';
import { SECRET_ROLES } from '../domain/secret-role.ts';
import type { App, HttpContext } from './context.ts';
import { numberFrom } from './input.ts';
import { problems } from './output.ts';

const named = { issuer: z.string(), clientId: z.string(), name: z.string() };
const place = { vault: z.string(), entry: z.string() };
const secret = z.object({
  ...named,
  secretId: z.string(),
  role: z.enum(SECRET_ROLES),
  expires: z.string().nullable(),
});

const coverageSchema: z.ZodType<CoverageView, CoverageView> = z.object({
  totals: z.record(z.enum(COVERAGE_LISTS), z.int()),
  unmanaged: z.array(z.object(named)),
  withoutDestination: z.array(z.object(named)),
  expired: z.array(secret),
  unknown: z.array(secret),
  formerDestinations: z.array(z.object({ ...named, ...place, state: z.enum(DESTINATION_STATES) })),
});

const forecastSchema: z.ZodType<ForecastView, ForecastView> = z.object({
  from: z.string(),
  to: z.string(),
  totals: z.object({ rotations: z.int(), deletions: z.int(), held: z.int(), outsideWindows: z.int() }),
  days: z.array(z.object({ date: z.string(), rotations: z.int(), deletions: z.int() })),
  bunched: z.array(z.object({ hour: z.string(), rotations: z.int() })),
  items: z.array(
    z.object({
      at: z.string(),
      ...named,
      action: z.enum(['issue', 'retire']),
      held: z.enum(REASONS).nullable(),
      outsideWindows: z.boolean(),
      secretId: z.string().nullable(),
      destinations: z.array(z.object(place)),
    }),
  ),
});

const whole = (least: number, most: number, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,5}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most))
    .prefault(String(fallback))
    .meta(numberFrom(least, most));

const forecastQuery = z.strictObject({ days: whole(1, 400, 30), limit: whole(1, 10_000, 1_000) });

/** Looks at all credentials at once. */
export function addOverviewRoutes(app: App, { daemon }: HttpContext): void {
  app.get(
    '/v1/coverage',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'getCoverage',
        summary: 'What nobody cares for',
        response: { 200: coverageSchema, ...problems },
      },
    },
    () => daemon.coverage(),
  );

  app.get(
    '/v1/forecast',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'getForecast',
        summary: 'What comes due by itself',
        querystring: forecastQuery,
        response: { 200: forecastSchema, ...problems },
      },
    },
    ({ query: { days, limit } }) => daemon.forecast(days, limit),
  );
}
