import type { FastifySchemaCompiler, FastifyTypeProvider } from 'fastify';
import type { z } from 'zod';
import { RekeydError } from '../domain/errors.ts';
import { printable } from '../telemetry/printable.ts';
import type { InputError } from './problem.ts';

const MAX_ERRORS = 10;
const MAX_KEY = 60;

/** Tells Fastify's types what a zod schema lets in and out. */
export interface ZodTypes extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
  serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown;
}

/** Path, query or body that a schema does not let in. */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
  /** Set by Fastify. */
  validationContext?: string;
  readonly #issues: readonly z.core.$ZodIssue[];

  constructor(issues: readonly z.core.$ZodIssue[]) {
    super('a request is not valid');
    this.#issues = issues;
  }

  /** Each place, at most ten. Of what was sent, just the names of unknown keys are quoted, shortened. */
  errors(): InputError[] {
    const where = { params: 'path', querystring: 'query', headers: 'header' } as const;
    const context = this.validationContext ?? 'body';
    const place = context === 'params' || context === 'querystring' || context === 'headers' ? where[context] : 'body';
    return this.#issues.slice(0, MAX_ERRORS).map((issue) => {
      const path = issue.path.map(String);
      return issue.code === 'unrecognized_keys'
        ? { in: place, key: quoted([...path, issue.keys[0] ?? '']), message: 'is not known here' }
        : { in: place, key: quoted(path), message: issue.message };
    });
  }
}

function quoted(path: readonly string[]): string {
  const text = printable(path.join('.').toWellFormed());
  return text.length > MAX_KEY ? `${text.slice(0, MAX_KEY)}…` : text;
}

/** Checks what comes in. */
export const checkInput: FastifySchemaCompiler<z.ZodType> = ({ schema }) => {
  return (data: unknown) => {
    const result = schema.safeParse(data);
    return result.success ? { value: result.data } : { error: new InvalidInput(result.error.issues) };
  };
};

/** An answer that its own schema does not let out: a defect of rekeyd. */
class UnlistedAnswer extends RekeydError {
  override readonly name = 'UnlistedAnswer';
  readonly code = 'http.unlisted-answer';
}

/** Writes what goes out: only what the schema names. */
export const writeAnswer = ({ schema }: { schema: z.ZodType }): ((data: unknown) => string) => {
  return (data) => {
    const result = schema.safeParse(data);
    if (result.success) return JSON.stringify(result.data);
    const places = result.error.issues.map((issue) => issue.path.map(String).join('.'));
    throw new UnlistedAnswer(`an answer does not fit its schema at ${places.join(', ')}`);
  };
};
