import { hash } from 'node:crypto';
import type { Instant } from './time.ts';

/**
 * The marker at the end of the description of every secret that rekeyd makes at an issuer:
 * `[rekeyd:INSTANCE:GENERATION:ROTATION_ID:DESTINATIONS]`. It is what a lost ledger is rebuilt from.
 */
export interface Marker {
  readonly instance: string;
  readonly generation: number;
  /** A UUIDv7; its time is the secret's birth. */
  readonly rotationId: string;
  /** Eight hex digits, see {@link destinationsDigest}. */
  readonly destinations: string;
}

const UUID_V7 = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
const MARKER = new RegExp(`\\[rekeyd:([a-z0-9-]{1,32}):(\\d{1,15}):(${UUID_V7}):([0-9a-f]{8})\\]\\s*$`);

/** Writes a marker. */
export function formatMarker(marker: Marker): string {
  return `[rekeyd:${marker.instance}:${marker.generation}:${marker.rotationId}:${marker.destinations}]`;
}

/** Reads the marker at the end of a description; null where there is none that is whole. */
export function parseMarker(description: string): Marker | null {
  const match = MARKER.exec(description);
  if (match === null) return null;
  const [, instance = '', generation = '', rotationId = '', destinations = ''] = match;
  return { instance, generation: Number(generation), rotationId, destinations };
}

/** Whether a description carries anything that looks like a marker of some rekeyd, whole or torn. */
export function hasAnyMarker(description: string): boolean {
  return description.includes('[rekeyd:');
}

/**
 * The description of a new secret: `text`, shortened so that the whole fits in `limit` characters, and the marker.
 * A marker that `text` itself ends with is taken off first, so that a PUT never doubles it.
 */
export function markedDescription(text: string, marker: Marker, limit: number): string {
  const mark = formatMarker(marker);
  const room = Math.max(0, limit - mark.length - 1);
  const before = shorten(withoutMarker(text), room);
  return before === '' ? mark : `${before} ${mark}`;
}

/** At most `room` UTF-16 units, without a surrogate cut in half. */
function shorten(text: string, room: number): string {
  return text
    .slice(0, room)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trimEnd();
}

function withoutMarker(text: string): string {
  return text.replace(MARKER, '').trimEnd();
}

/** When the secret was born: the time inside its rotation id (RFC 9562, UUIDv7: the first 48 bits). */
export function birthOf(rotationId: string): Instant {
  return Number.parseInt(rotationId.slice(0, 8) + rotationId.slice(9, 13), 16);
}

/** Eight hex digits over the sorted (vault identity, entry) pairs. The order of `pairs` does not matter. */
export function destinationsDigest(pairs: readonly { readonly identity: string; readonly entry: string }[]): string {
  const lines = pairs.map((pair) => JSON.stringify([pair.identity, pair.entry])).sort();
  return hash('sha256', lines.join('\n'), 'hex').slice(0, 8);
}
