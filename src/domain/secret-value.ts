import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * A value that must never be printed: a client secret, or a payload that holds one. It prints as `[redacted]` in JSON,
 * as a string and under `inspect`. `test/unit/structure/unwrap-places.test.ts` names the few files that may call {@link reveal}.
 */
export class SecretValue {
  readonly #value: string;

  private constructor(value: string) {
    this.#value = value;
  }

  static of(value: string): SecretValue {
    return new SecretValue(value);
  }

  /** The value itself. Only for a vault, or for the issuer's token endpoint. */
  reveal(): string {
    return this.#value;
  }

  /** Whether there is nothing in it: an empty value is never 'delivered'. */
  get isEmpty(): boolean {
    return this.#value.length === 0;
  }

  /** Size in bytes of UTF-8, for the limits of vaults. */
  get byteLength(): number {
    return Buffer.byteLength(this.#value, 'utf8');
  }

  equals(other: SecretValue): boolean {
    return this.#value === other.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
