/**
 * The shapes of the Data8 API as JSON Schema: the one source of the emulator's validation, of its answers and of its
 * OpenAPI document. Names and fields are those of the vendor's documentation; a test holds them to it.
 */
const nullableText = { type: 'string', nullable: true } as const;

const clientSecretId = { type: 'integer', format: 'int32', minimum: -2_147_483_648, maximum: 2_147_483_647 } as const;

const secretFields = {
  clientSecretId,
  expires: { type: 'string', nullable: true, description: 'date-time with 0 to 7 fractional digits; null: never' },
  description: { ...nullableText, maxLength: 2000 },
} as const;

export const SCHEMAS = [
  {
    $id: 'ClientSecret',
    type: 'object',
    properties: secretFields,
  },
  {
    $id: 'CreatedClientSecret',
    type: 'object',
    properties: { ...secretFields, generatedSecret: { type: 'string' } },
  },
  {
    $id: 'ClientCredential',
    type: 'object',
    properties: {
      clientId: nullableText,
      description: { ...nullableText, maxLength: 1000 },
      secrets: { type: 'array', nullable: true, items: { $ref: 'ClientSecret#' } },
    },
  },
  {
    $id: 'ProblemDetails',
    type: 'object',
    properties: {
      type: nullableText,
      title: nullableText,
      status: { type: 'integer', format: 'int32', nullable: true },
      detail: nullableText,
      instance: nullableText,
    },
    // ASP.NET adds members such as `traceId` and `errors`
    additionalProperties: true,
  },
] as const;

const id = { type: 'string', description: 'The clientId.' } as const;

/** `{id}` */
export const CREDENTIAL_PARAMS = { type: 'object', required: ['id'], properties: { id } } as const;

/** `{id}` and `{secretId}` */
export const SECRET_PARAMS = {
  type: 'object',
  required: ['id', 'secretId'],
  properties: { id, secretId: { type: 'string', pattern: '^-?[0-9]{1,10}$', description: 'The clientSecretId.' } },
} as const;

/** A reference to one of {@link SCHEMAS}. */
export function ref(name: (typeof SCHEMAS)[number]['$id']): { readonly $ref: string } {
  return { $ref: `${name}#` };
}
