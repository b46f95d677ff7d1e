import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

/** A value that must not turn up anywhere (S1): odd characters around a core that no encoding leaves unlike itself. */
export interface Canary {
  readonly text: string;
  /** Every form in which it could leak: raw, base64 at any offset, base64url, hex, URL- and JSON-escaped. */
  readonly forms: readonly string[];
}

export function hatchCanary(): Canary {
  const core = `k4nari${randomBytes(12).toString('hex')}`;
  const text = `"${core}\\/é✓ +%&=`;
  // The core stands unchanged in any URL- or JSON-escaped form; in base64 its look depends on where it begins.
  const base64 = [0, 1, 2].map((offset) => {
    const whole = Buffer.from('x'.repeat(offset) + core).toString('base64');
    return whole.slice(Math.ceil((offset * 4) / 3) + 1, -4);
  });
  return { text, forms: [core, ...base64, Buffer.from(core).toString('hex')] };
}

/** The first form of a canary that shows in anything: printed, inspected, as JSON, with stack, causes and hidden fields. */
export function leakIn(thing: unknown, canaries: readonly Canary[]): string | null {
  const seen = [String(thing), inspect(thing, { depth: 20, showHidden: true, maxStringLength: null }), safeJson(thing)];
  if (thing instanceof Error) seen.push(thing.message, thing.stack ?? '');
  const text = seen.join('\n');
  const forms = canaries.flatMap((canary) => canary.forms);
  return forms.find((form) => text.includes(form) || text.toLowerCase().includes(form.toLowerCase())) ?? null;
}

function safeJson(thing: unknown): string {
  try {
    return JSON.stringify({ thing });
  } catch {
    return ''; // a cycle: inspect has shown it already
  }
}
