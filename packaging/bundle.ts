// Makes what the image runs: the program and all it needs in a few files, about 14 MB instead of 240. A vault's library is
// a file of its own, loaded when a vault of that type is opened, as it is without bundling.
//   node packaging/bundle.ts FOLDER      makes FOLDER/dist/bundle/rekeyd.js, to be started, and FOLDER/package.json
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build as bundle } from 'esbuild';
import type { Plugin } from 'esbuild';
import { noticesOf } from './notices.ts';

const ROOT = join(import.meta.dirname, '..');

/** What CommonJS modules take for granted, which most libraries are. */
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { fileURLToPath as __fileURLToPath } from 'node:url';",
  "import { dirname as __dirnameOf } from 'node:path';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = __fileURLToPath(import.meta.url);',
  'const __dirname = __dirnameOf(__filename);',
].join('');

/** From the source: what `tsc` would make is the same, and its checks are not the image's to make. */
const fromSource: Plugin = {
  name: 'from-source',
  setup: (build) => {
    build.onResolve({ filter: /^\.\.\/dist\/main\.js$/ }, () => ({ path: join(ROOT, 'src/main.ts') }));
  },
};

async function main(folder: string): Promise<void> {
  const { warnings, metafile } = await bundle({
    absWorkingDir: ROOT,
    entryPoints: ['bin/rekeyd.js'],
    // two folders below package.json, where src/compose/version.ts looks for it
    outdir: join(folder, 'dist/bundle'),
    bundle: true,
    plugins: [fromSource],
    splitting: true,
    platform: 'node',
    format: 'esm',
    // Modules before CommonJS: what a CommonJS file re-exports from another is not there in a bundle (AWS's providers).
    mainFields: ['module', 'main'],
    target: 'node24',
    banner: { js: BANNER },
    // names of classes and functions are seen in logs and stacks; comments are not
    keepNames: true,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
  });
  // A library that esbuild is not sure about would fail at night, when it is first used.
  if (warnings.length > 0) throw new Error(`esbuild has ${warnings.length} warnings, printed above: mend them first`);

  await mkdir(folder, { recursive: true });
  const { name, version, license, type } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ name, version, license, type })}\n`);
  await copyFile(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
  await writeFile(join(folder, 'NOTICES.txt'), await noticesOf(ROOT, Object.keys(metafile.inputs)));
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node packaging/bundle.ts FOLDER\n');
  process.exitCode = 2;
} else await main(folder);
