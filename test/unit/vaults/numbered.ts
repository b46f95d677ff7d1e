import type { Mark } from '../../../src/domain/mark.ts';
import type { Payload } from '../../../src/domain/payload.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';

/** A value that is known by its generation and writer, long enough that a torn write would show. */
export function numberedPayload(generation: number, writer: string): Payload {
  return { form: 'opaque', content: SecretValue.of(`${writer}-${generation};`.repeat(5_000)) };
}

export function numberedMark(generation: number, writer: string): Mark {
  return {
    instance: 'test',
    issuer: 'data8',
    credential: 'client',
    generation,
    secretId: `${writer}-${generation}`,
    deliveredAt: Date.UTC(2030, 0, 1),
  };
}
