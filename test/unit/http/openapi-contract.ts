import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';
import type { JsonSchema } from './schema-values.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

export interface Operation {
  readonly path: string;
  readonly method: string;
  readonly parameters: readonly Parameter[];
  /** Null: it takes none. */
  readonly body: { readonly required: boolean; readonly schema: JsonSchema } | null;
  readonly responses: Readonly<Record<string, { readonly content: Content }>>;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

interface Written {
  readonly paths: Readonly<Record<string, Readonly<Record<string, WrittenOperation>>>>;
}

interface WrittenOperation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Operation['responses'];
}

/** What `GET /openapi.json` promises, as it was answered: its operations, and whether an answer keeps the promise. */
export class OpenApiContract {
  readonly operations: readonly Operation[];
  readonly #ajv = new Ajv2020({ strict: false });
  readonly #checks = new Map<string, ValidateFunction>();

  constructor(document: object) {
    this.#ajv.addSchema({ $id: 'rekeyd', ...document });
    this.operations = Object.entries((document as Written).paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [], requestBody, responses }]) => {
        const schema = requestBody?.content['application/json']?.schema;
        const body = schema === undefined ? null : { required: requestBody?.required === true, schema };
        return { path, method, parameters, body, responses };
      }),
    );
  }

  /** What an answer of an operation does otherwise than the document says; empty: nothing. */
  complaints({ path, method, responses }: Operation, { status, type, text }: Answer): string[] {
    const key = String(status) in responses ? String(status) : `${String(status).charAt(0)}XX`;
    const content = responses[key]?.content;
    if (content === undefined) return [`the status ${status} is not documented`];
    const [media = ''] = type.split(';');
    if (!(media in content)) return [`the type ${type} is not documented for ${status}`];
    const value = media.endsWith('json') ? parsed(text) : text;
    if (value === undefined) return ['the body is no JSON'];
    const check = this.#check(['paths', path, method, 'responses', key, 'content', media, 'schema']);
    return check(value) ? [] : [`the body does not fit: ${this.#ajv.errorsText(check.errors)}`];
  }

  #check(pointer: readonly string[]): ValidateFunction {
    const at = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const check = this.#checks.get(at) ?? this.#ajv.compile({ $ref: `rekeyd#/${at}` });
    this.#checks.set(at, check);
    return check;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // which is the complaint
  }
}
