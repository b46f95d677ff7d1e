#!/usr/bin/env node
import { accessSync, constants, mkdirSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

// Plain JavaScript, so that an older Node gets as far as saying what is wrong.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `rekeyd needs Node 24 or newer, this is ${process.version}. In a checkout, 'npm ci' brings the right one: use 'npm start' or 'npx rekeyd'.\n`,
  );
  process.exit(2);
}

// What runs beside its consumers is to be small. On a machine with much memory V8 lets the young generation alone grow to
// 100 MB; it can be told otherwise only before it starts. So the same process starts once more: same pid, same files, same
// signals. See docs/benchmarks.md for what it brings, and src/compose/small-heap.ts for the rest of the heap.
const SMALL_HEAP = ['--max-semi-space-size=4'];
const [command] = process.argv.slice(2);
const told = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ').includes('--max-semi-space-size');
if ((command === 'run' || command === 'once') && !told && process.platform !== 'win32' && canStart(process.execPath)) {
  const args = [process.execPath, ...process.execArgv, ...SMALL_HEAP, ...process.argv.slice(1)];
  // glibc gives each thread a pool of memory of its own, which it hardly gives back
  process.execve(process.execPath, args, { MALLOC_ARENA_MAX: '2', ...process.env });
}

/** Where it cannot be started again (it was replaced by an upgrade, say), execve would end the process. */
function canStart(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// In the image's bundle, packaging/bundle.ts puts another path in place of this name.
keepCompiled(fileURLToPath(new URL(import.meta.compiled ?? '../dist/.compiled', import.meta.url)));

/**
 * What V8 compiled is kept for the next start. Not in Node's default, a folder that all users of the machine share and may
 * prepare for each other, but beside the program: who can write there can change the program itself. Others are kept out
 * whatever the umask, and where nothing can be written, nothing is kept.
 */
function keepCompiled(folder) {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (error.code !== 'EEXIST') return;
  }
  module.enableCompileCache(folder);
}

const { main } = await import('../dist/program/main.js');
await main(process.argv.slice(2));
