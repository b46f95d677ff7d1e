import { SecretValue } from '../../domain/secret-value.ts';
import type { CreatedSecret, ListedCredential, ListedSecret, SecretWish } from '../contract.ts';
import { JsonArrayItems } from './json-array.ts';
import { isObject, parseJson } from '../../domain/json.ts';
import { parseObject } from './problem.ts';
import { readTimestamp, writeTimestamp } from './timestamp.ts';

/** Reads an answer's body; null where it is not what the API promises. Nothing of it is quoted anywhere. */
export type Reader<T> = (body: string) => T | null;

export const readCredential: Reader<ListedCredential> = (body) => credentialFrom(parseObject(body));
export const readSecret: Reader<ListedSecret> = (body) => secretFrom(parseObject(body));

/** All or nothing: one item that is malformed, or there twice, and the whole list is. */
export const readSecrets: Reader<ListedSecret[]> = (body) => {
  const list = new ListReader(secretFrom, ({ secretId }) => secretId);
  list.write(body);
  return list.result();
};

/** As {@link readSecrets}, for the one list that grows with the account: it is read as it comes in. */
export function credentialsReader(): ListReader<ListedCredential> {
  return new ListReader(credentialFrom, ({ clientId }) => clientId);
}

/** Without an id or a value there is nothing to go on with: null, and the creation counts as lost. */
export const readCreatedSecret: Reader<CreatedSecret> = (body) => {
  const object = parseObject(body);
  const secret = secretFrom(object);
  const value = object?.['generatedSecret'];
  if (secret === null || typeof value !== 'string' || value === '') return null;
  return { ...secret, value: SecretValue.of(value) };
};

/** The body that makes a secret. The issuer chooses the id. */
export function newSecretBody({ expires, description }: SecretWish): object {
  return { expires: writeTimestamp(expires), description };
}

/** The whole of a secret, because PUT may replace what it is not given. An id that was a number goes back as one. */
export function secretBody(secretId: string, wish: SecretWish): object {
  return { clientSecretId: /^-?\d{1,15}$/.test(secretId) ? Number(secretId) : secretId, ...newSecretBody(wish) };
}

/** Reads a list in parts. */
export class ListReader<T> {
  readonly #items: JsonArrayItems;
  readonly #byKey = new Map<string, T>();
  #isSound = true;

  constructor(read: (item: unknown) => T | null, keyOf: (item: T) => string) {
    this.#items = new JsonArrayItems((text) => {
      const item = read(parseJson(text));
      if (item === null || this.#byKey.has(keyOf(item))) this.#isSound = false;
      else this.#byKey.set(keyOf(item), item);
    });
  }

  write(text: string): void {
    if (this.#isSound) this.#items.write(text);
  }

  /** Null where it is not whole, an item is malformed, or one is there twice. */
  result(): T[] | null {
    return this.#isSound && this.#items.isWhole ? [...this.#byKey.values()] : null;
  }
}

function credentialFrom(value: unknown): ListedCredential | null {
  if (!isObject(value)) return null;
  const { clientId, description } = value;
  const text = readText(description);
  return typeof clientId === 'string' && clientId !== '' && text !== null ? { clientId, description: text } : null;
}

function secretFrom(value: unknown): ListedSecret | null {
  if (!isObject(value)) return null;
  const secretId = readId(value['clientSecretId']);
  const expires = readTimestamp(value['expires']);
  const description = readText(value['description']);
  if (secretId === null || expires.kind === 'malformed' || description === null) return null;
  return { secretId, expires: expires.kind === 'instant' ? expires.at : null, description };
}

/** An int32 in the API's schema; a backend that goes over to text shall not stop us. */
function readId(value: unknown): string | null {
  if (Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && value !== '' ? value : null;
}

function readText(value: unknown): string | null {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : null;
}
