import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The licenses of the packages that `inputs` (paths below `root`) belong to, as text: most of them ask that theirs goes
 * along with copies of their code, a bundle included. @throws where a package has no package.json.
 */
export async function noticesOf(root: string, inputs: readonly string[]): Promise<string> {
  const folders = new Set(inputs.map(packageFolder).filter((folder) => folder !== null));
  const notices = await Promise.all([...folders].sort().map((folder) => noticeOf(join(root, folder))));
  return `What rekeyd is built with, and its licenses.\n\n${notices.join('\n')}`;
}

/** `node_modules/a/node_modules/@b/c/x.js` is of `node_modules/a/node_modules/@b/c`; null for our own files. */
function packageFolder(path: string): string | null {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? null;
}

async function noticeOf(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: unknown;
  };
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)(\.|-|$)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const kind = typeof license === 'string' ? license : 'see below';
  return [`---- ${name} ${version} (${kind})`, ...texts.map((text) => text.trim()), ''].join('\n');
}
