import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Every form in which a value could show: raw, in part, base64 at any offset, base64url, hex, URL-, JSON- and form-escaped. */
export function formsOf(value: string): readonly string[] {
  const whole = Buffer.from(value);
  // within a longer text base64 looks differently by where the value begins; the ends depend on what is around
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), whole]).toString('base64');
    return text.slice(Math.ceil((offset * 4) / 3) + 1, -5);
  });
  const forms = [
    value,
    value.slice(0, 16),
    value.slice(-16),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    whole.toString('hex'),
    encodeURIComponent(value),
    new URLSearchParams({ v: value }).toString().slice(2),
    JSON.stringify(value).slice(1, -1),
    JSON.stringify(JSON.stringify(value)).slice(3, -3),
  ];
  return [...new Set(forms)];
}

/** Where any form of a value shows in a named text; empty: nowhere. The value itself is not told. */
export function leaks(values: Iterable<string>, texts: ReadonlyMap<string, Buffer | string>): string[] {
  const found: string[] = [];
  let number = 0;
  for (const value of values) {
    number += 1;
    const forms = formsOf(value);
    for (const [name, text] of texts) {
      const form = forms.findIndex((each) => text.includes(each));
      if (form >= 0) found.push(`value ${number} in ${name} (form ${form})`);
    }
  }
  return found;
}

/** All files under a folder by their path in it, contents as they are, and the paths themselves. */
export async function filesUnder(folder: string): Promise<Map<string, Buffer>> {
  const names = await readdir(folder, { recursive: true });
  const files = new Map<string, Buffer>([['file names', Buffer.from(names.join('\n'))]]);
  for (const name of names) {
    if ((await stat(join(folder, name))).isFile()) files.set(name, await readFile(join(folder, name)));
  }
  return files;
}
