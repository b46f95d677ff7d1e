import { z } from 'zod';

/** As whom rekeyd writes: the API server keeps, field by field, who wrote last (`metadata.managedFields`). */
export const FIELD_MANAGER = 'rekeyd';

/** Asks for metadata alone. https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
export const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

const texts = z.record(z.string(), z.string()).nullish();

const metadataSchema = z.object({
  resourceVersion: z.string().min(1),
  labels: texts,
  annotations: texts,
  deletionTimestamp: z.string().nullish(),
  managedFields: z
    .array(
      z.object({
        manager: z.string().optional(),
        operation: z.string().nullish(),
        time: z.string().nullish(),
        subresource: z.string().optional(),
        fieldsV1: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .nullish(),
});

/** What rekeyd needs to know of any object. Everything else of an answer is dropped as it is read. */
export const objectSchema = z.object({ metadata: metadataSchema });

/** A Secret. An empty value is an empty text, or null where it was written so. */
export const secretSchema = objectSchema.extend({
  data: z.record(z.string(), z.string().nullable()).nullish(),
  immutable: z.boolean().nullish(),
  type: z.string().nullish(),
});

export type ObjectMetadata = z.output<typeof metadataSchema>;
type ManagedFields = NonNullable<ObjectMetadata['managedFields']>[number];
export type SecretObject = z.output<typeof secretSchema>;

/** A Secret's values, base64, by key. */
export function dataOf(secret: SecretObject): ReadonlyMap<string, string> {
  return new Map(Object.entries(secret.data ?? {}).map(([key, value]) => [key, value ?? '']));
}

/**
 * The keys of `data` that rekeyd wrote last. It needs no value, outlives a stripped mark, and is empty where somebody else
 * wrote since. https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function keysWrittenByUs(metadata: ObjectMetadata): ReadonlySet<string> {
  const ours = (metadata.managedFields ?? []).filter(
    ({ manager, subresource }) => manager === FIELD_MANAGER && subresource === undefined,
  );
  return new Set(ours.flatMap(keysIn));
}

/**
 * Who wrote these keys of `data` last, and when: a value that is changed and put back leaves no other trace, and
 * `resourceVersion` changes with every label of anybody. Null where the API server does not tell.
 */
export function revisionOf(metadata: ObjectMetadata, keys: readonly string[]): string | null {
  const writers = (metadata.managedFields ?? []).filter((each) => keysIn(each).some((key) => keys.includes(key)));
  if (writers.length === 0) return null;
  return writers
    .map(({ manager, operation, time }) => [manager, operation, time].join(' '))
    .sort()
    .join(', ');
}

function keysIn({ fieldsV1 }: ManagedFields): string[] {
  const fields = Object.keys(objectIn(fieldsV1?.['f:data']));
  return fields.filter((field) => field.startsWith('f:')).map((field) => field.slice(2));
}

/** Whether metadata alone tells that nobody made the Secret immutable. */
export function isSurelyMutable(metadata: ObjectMetadata): boolean {
  const managers = metadata.managedFields ?? [];
  return managers.length > 0 && managers.every(({ fieldsV1 }) => !Object.hasOwn(fieldsV1 ?? {}, 'f:immutable'));
}

/** Why a Secret cannot be written; null where it can. */
export function lockOf(metadata: ObjectMetadata, immutable: boolean): string | null {
  if (metadata.deletionTimestamp != null) {
    return 'the Secret is being deleted, and a finalizer holds it: see to the finalizer';
  }
  return immutable
    ? 'the Secret is immutable: delete it and let rekeyd make it anew, or take it out of the rule'
    : null;
}

function objectIn(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
