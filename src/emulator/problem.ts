import { STATUS_CODES } from 'node:http';

/** ProblemDetails, as ASP.NET writes them: RFC 9457, with `traceId`, and `errors` where a request is invalid. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: Readonly<Record<string, readonly string[]>>;
}

/** Thrown by an operation that answers with an error. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly errors: Readonly<Record<string, readonly string[]>> | null;

  constructor(status: number, detail: string, errors: Readonly<Record<string, readonly string[]>> | null = null) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }

  /** @param instance the path of the request. */
  details(instance: string): ProblemDetails {
    return {
      type: TYPES[this.status] ?? 'https://tools.ietf.org/html/rfc9110#section-15.6.1',
      title: this.errors === null ? (STATUS_CODES[this.status] ?? 'Error') : 'One or more validation errors occurred.',
      status: this.status,
      detail: this.message,
      instance,
      ...(this.errors === null ? {} : { errors: this.errors }),
    };
  }
}

/** The type URIs that ASP.NET gives by default. */
const TYPES: Readonly<Record<number, string>> = {
  400: 'https://tools.ietf.org/html/rfc9110#section-15.5.1',
  401: 'https://tools.ietf.org/html/rfc9110#section-15.5.2',
  403: 'https://tools.ietf.org/html/rfc9110#section-15.5.4',
  404: 'https://tools.ietf.org/html/rfc9110#section-15.5.5',
  405: 'https://tools.ietf.org/html/rfc9110#section-15.5.6',
  413: 'https://tools.ietf.org/html/rfc9110#section-15.5.14',
  415: 'https://tools.ietf.org/html/rfc9110#section-15.5.16',
  429: 'https://tools.ietf.org/html/rfc6585#section-4',
  500: 'https://tools.ietf.org/html/rfc9110#section-15.6.1',
  503: 'https://tools.ietf.org/html/rfc9110#section-15.6.4',
};
