import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { REASONS } from '../domain/reason.ts';
import type { Reason } from '../domain/reason.ts';

/** All problems that the interface tells of (RFC 9457). Documented in docs/http.md; a test holds that page to this list. */
export const PROBLEMS = {
  'bad-request': { status: 400, title: 'The request cannot be read' },
  invalid: { status: 400, title: 'The request is not valid' },
  unauthorized: { status: 401, title: 'A token is needed' },
  forbidden: { status: 403, title: 'The token may not do this' },
  'no-token-configured': { status: 403, title: 'No token is configured' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'method-not-allowed': { status: 405, title: 'This cannot be done here' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  conflict: { status: 409, title: 'This cannot be done now' },
  'bulk-changed': { status: 409, title: 'This is not what was confirmed' },
  'bulk-running': { status: 409, title: 'Another bulk is running' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'url-too-long': { status: 414, title: 'A part of the URL is too long' },
  'unsupported-media-type': { status: 415, title: 'The body is not JSON' },
  'expectation-failed': { status: 417, title: 'The expectation cannot be met' },
  'key-reused': { status: 422, title: 'The key was used for something else' },
  'too-soon': { status: 429, title: 'It is too soon to do this again' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Something unexpected happened' },
  'issuer-unreachable': { status: 503, title: 'The token cannot be checked now' },
  'ledger-failed': { status: 503, title: 'The ledger cannot be used' },
  overdue: { status: 503, title: 'The answer took too long' },
} as const satisfies Readonly<Record<string, { status: number; title: string }>>;
export type ProblemName = keyof typeof PROBLEMS;

export const problemSchema = z.object({
  /** `urn:rekeyd:problem:` and its name. */
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  /** Of a conflict: the reason, one of the closed list. */
  reason: z.enum(REASONS).optional(),
  /** Of what is not valid: each place. */
  errors: z
    .array(z.object({ in: z.enum(['path', 'query', 'header', 'body']), key: z.string(), message: z.string() }))
    .optional(),
});
export type ProblemBody = z.output<typeof problemSchema>;
export type InputError = NonNullable<ProblemBody['errors']>[number];

/** An answer that is an error. `message` is shown to the caller: it never quotes what another system said. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly problem: ProblemName;
  readonly reason: Reason | null;
  readonly errors: readonly InputError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    problem: ProblemName,
    detail: string,
    more: {
      readonly reason?: Reason | null;
      readonly errors?: readonly InputError[];
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(detail);
    this.problem = problem;
    this.reason = more.reason ?? null;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }

  get status(): number {
    return PROBLEMS[this.problem].status;
  }

  body(): ProblemBody {
    return {
      type: `urn:rekeyd:problem:${this.problem}`,
      ...PROBLEMS[this.problem],
      detail: this.message,
      ...(this.reason === null ? {} : { reason: this.reason }),
      ...(this.errors.length === 0 ? {} : { errors: [...this.errors] }),
    };
  }
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Answers with a problem. The one way out for errors, so that each has the same shape and nothing more. */
export function sendProblem(reply: FastifyReply, problem: HttpProblem): FastifyReply {
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .header('content-type', PROBLEM_TYPE)
    .serializer((body: unknown) => JSON.stringify(problemSchema.parse(body)))
    .send(problem.body());
}
