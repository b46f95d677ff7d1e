import { z } from 'zod';
import type { Path } from './tree.ts';

/** The keys that a schema knows at a path, whatever wraps it; empty where it knows none by name. */
export function knownKeys(schema: z.core.$ZodType, path: Path): string[] {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodUnion) return bare.options.flatMap((option) => knownKeys(option, path));
  const [step, ...rest] = path;
  if (step === undefined) return bare instanceof z.ZodObject ? Object.keys(bare.shape) : [];
  const inner = child(bare, step);
  return inner === undefined ? [] : knownKeys(inner, rest);
}

/** Whether a schema takes keys that it does not know by name. */
export function isOpen(schema: z.core.$ZodType): boolean {
  const bare = unwrap(schema);
  if (!(bare instanceof z.ZodObject)) return true;
  const rest = bare.def.catchall;
  return rest !== undefined && !(rest instanceof z.ZodNever);
}

/** Whether what stands under a key is the user's own, its keys included: nothing here says what they mean. */
export function isFree(schema: z.core.$ZodType, key: string): boolean {
  const inner = child(unwrap(schema), key);
  if (inner === undefined) return false;
  const bare = unwrap(inner);
  return bare instanceof z.ZodRecord || bare instanceof z.ZodUnknown;
}

function child(schema: z.core.$ZodType, step: string | number): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) return (schema.shape as Record<string, z.core.$ZodType>)[String(step)];
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return undefined;
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return unwrap(schema.unwrap());
  }
  if (schema instanceof z.ZodPipe) return unwrap(schema.in);
  return schema;
}
