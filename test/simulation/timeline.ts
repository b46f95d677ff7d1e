import type { Entry } from './world-plan.ts';

/** A schedule as a person reads it: when, who, what; each day begins with its date. Reads of the world are left out. */
export function formatTimeline(entries: readonly Entry[]): string {
  const lines: string[] = [];
  let day = '';
  for (const { at, who, what, about } of entries) {
    if (isQuiet(what)) continue;
    const time = new Date(at).toISOString();
    if (time.slice(0, 10) !== day) {
      day = time.slice(0, 10);
      lines.push(`--- ${day}`);
    }
    const detail =
      about === null || about === undefined ? '' : ` ${typeof about === 'string' ? about : JSON.stringify(about)}`;
    lines.push(`${time.slice(11, 23)} ${who.padEnd(10)} ${what}${detail}`);
  }
  return lines.join('\n');
}

/** Calls that went well: there are thousands. */
function isQuiet(what: string): boolean {
  return /^calls \S+ \S+ \S*$/.test(what) || /^calls \S+ \S+$/.test(what) || what === 'scan-finished';
}
