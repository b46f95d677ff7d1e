// Puts the program into a few files, for seven hundred modules take longer to find than to run. Each vault's library is a
// file of its own, loaded when a vault of that type is opened.
//   node packaging/bundle.ts package        makes dist/program, what bin/rekeyd.js starts; vaults' libraries stay packages
//   node packaging/bundle.ts image FOLDER   makes FOLDER/dist/bundle/rekeyd.js, with all it needs: 14 MB instead of 240
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build as bundle } from 'esbuild';
import type { BuildOptions, Plugin } from 'esbuild';
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

/** What is not part of the package's program: loaded only by who has such a vault, or an issuer of JWTs. */
const LEFT_OUT = ['@aws-sdk/*', '@azure/*', '@google-cloud/*', '@kubernetes/*', 'age-encryption', 'jose'];

/** From the source, so that there is one way from a file to the program. */
const fromSource: Plugin = {
  name: 'from-source',
  setup: (build) => {
    build.onResolve({ filter: /^\.\.\/dist\/program\/main\.js$/ }, () => ({ path: join(ROOT, 'src/main.ts') }));
  },
};

/** @returns the paths of all files that went into it. @throws Error where esbuild warns. */
async function build(options: BuildOptions): Promise<string[]> {
  const { warnings, metafile } = await bundle({
    absWorkingDir: ROOT,
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
    legalComments: 'none',
    ...options,
    metafile: true,
  });
  // A library that esbuild is not sure about would fail at night, when it is first used.
  if (warnings.length > 0) throw new Error(`esbuild has ${warnings.length} warnings, printed above: mend them first`);
  return Object.keys(metafile.inputs);
}

/** Both are two folders below package.json, where src/compose/version.ts looks for it. */
async function makeProgram(): Promise<void> {
  const outdir = join(ROOT, 'dist/program');
  const inputs = await build({ entryPoints: ['src/main.ts'], outdir, external: LEFT_OUT });
  await writeFile(join(ROOT, 'dist/NOTICES.txt'), await noticesOf(ROOT, inputs));
}

async function makeImage(folder: string): Promise<void> {
  const inputs = await build({
    entryPoints: ['bin/rekeyd.js'],
    outdir: join(folder, 'dist/bundle'),
    minifyWhitespace: true,
    // beside the bundle's folder, where packaging/warm.ts fills it
    define: { 'import.meta.compiled': '"../.compiled"' },
  });
  const { name, version, license, type } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ name, version, license, type })}\n`);
  // not copied, as its mode would come along, and whoever made the checkout may have an umask that closes files
  await writeFile(join(folder, 'LICENSE'), await readFile(join(ROOT, 'LICENSE')));
  await writeFile(join(folder, 'NOTICES.txt'), await noticesOf(ROOT, inputs));
}

const [product, folder] = process.argv.slice(2);
if (product === 'package' && folder === undefined) await makeProgram();
else if (product === 'image' && folder !== undefined) await makeImage(folder);
else {
  process.stderr.write('usage: node packaging/bundle.ts package | image FOLDER\n');
  process.exitCode = 2;
}
