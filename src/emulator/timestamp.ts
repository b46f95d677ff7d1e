/**
 * Times as the Data8 API writes them: seven fractional digits (100 ns, .NET's ticks) and `Z`. An instant here is the text
 * in that form, beside its milliseconds, so that digits that a caller sent below a millisecond are not lost.
 */
export interface Timestamp {
  readonly text: string;
  /** Milliseconds since the Unix epoch; digits below are cut off. */
  readonly at: number;
}

const ISO = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.(\d{1,7}))?(Z|[+-]\d{2}:\d{2})?$/i;

/** Writes milliseconds as a timestamp. */
export function timestampAt(at: number): Timestamp {
  return { text: new Date(at).toISOString().replace('Z', '0000Z'), at };
}

/**
 * Reads what .NET reads: 0 to 7 fractional digits, an offset or none (UTC then).
 * @returns null where the text is not a time; it does not throw.
 */
export function parseTimestamp(text: string): Timestamp | null {
  const match = ISO.exec(text);
  if (match === null) return null;
  const [, date = '', time = '', fraction = '', zone = 'Z'] = match;
  const seconds = Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  if (Number.isNaN(seconds) || !isRealDate(date)) return null;
  const digits = fraction.padEnd(7, '0');
  const whole = new Date(seconds).toISOString();
  if (!/^\d{4}-/.test(whole)) return null; // an offset took it out of the years 0000 to 9999
  return { text: `${whole.slice(0, 19)}.${digits}Z`, at: seconds + Number(digits.slice(0, 3)) };
}

/** Date.parse rolls 31 February over into March; .NET refuses it. */
function isRealDate(date: string): boolean {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(date);
}
