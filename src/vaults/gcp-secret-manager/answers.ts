import type { protos } from '@google-cloud/secret-manager';
import type { SecretValue } from '../../domain/secret-value.ts';
import type { Annotations } from './annotations.ts';
import { crc32c, textOf } from './payload-bytes.ts';
import { Unusable } from './refusal.ts';

type RawSecret = protos.google.cloud.secretmanager.v1.ISecret;
type RawVersion = protos.google.cloud.secretmanager.v1.ISecretVersion;
type RawAccess = protos.google.cloud.secretmanager.v1.IAccessSecretVersionResponse;

/** A secret without its versions. */
export interface StoredSecret {
  /** Empty where the service gives none (an emulator). */
  readonly etag: string;
  /** When it was made, in milliseconds: tells it from another one of the same name, made after it was deleted. */
  readonly createdAt: number;
  readonly annotations: Annotations;
  readonly labels: Readonly<Record<string, string>>;
  /** When the service deletes it by itself; null: it does not. */
  readonly expiresAt: number | null;
}

export interface StoredVersion {
  readonly number: number;
  readonly enabled: boolean;
  /** Whether the service checked the checksum that was sent. */
  readonly checked: boolean;
}

/** A version's payload. `content` null: there is none, or it is no text. */
export type Accessed =
  | { readonly state: 'value'; readonly number: number; readonly content: SecretValue | null }
  | { readonly state: 'none' }
  | { readonly state: 'unreadable' };

/** @throws Unusable where what is needed is missing. */
export function toSecret(raw: RawSecret): StoredSecret {
  const createdAt = toInstant(raw.createTime);
  if (createdAt === null) throw new Unusable('a secret without createTime');
  return {
    etag: raw.etag ?? '',
    createdAt,
    annotations: raw.annotations ?? {},
    labels: raw.labels ?? {},
    expiresAt: toInstant(raw.expireTime),
  };
}

/** @throws Unusable where what is needed is missing. */
export function toVersion(raw: RawVersion): StoredVersion {
  const { state } = raw;
  return {
    number: numberOf(raw.name),
    enabled: state === 'ENABLED', // the library spells enums out
    checked: raw.clientSpecifiedPayloadChecksum === true,
  };
}

/** @throws Unusable where what is needed is missing, or the bytes do not have the checksum that came with them. */
export function toAccessed(raw: RawAccess): Accessed {
  const number = numberOf(raw.name);
  const data = raw.payload?.data ?? new Uint8Array();
  if (typeof data === 'string') throw new Unusable('a payload that is not bytes');
  const sum = raw.payload?.dataCrc32c;
  if (sum !== undefined && sum !== null && String(sum) !== String(crc32c(data))) {
    throw new Unusable('the payload was damaged on the way: its checksum is another');
  }
  return { state: 'value', number, content: textOf(data) };
}

/** The last part of `projects/P/secrets/S/versions/N`. */
function numberOf(name: string | null | undefined): number {
  const number = /\/versions\/([1-9]\d{0,14})$/.exec(name ?? '')?.[1];
  if (number === undefined) throw new Unusable('a version without its number');
  return Number(number);
}

function toInstant(time: protos.google.protobuf.ITimestamp | null | undefined): number | null {
  if (time?.seconds === undefined || time.seconds === null) return null;
  return Number(time.seconds) * 1000 + Math.floor((time.nanos ?? 0) / 1_000_000);
}
