#!/usr/bin/env node
// Plain JavaScript, so that an older Node gets as far as saying what is wrong.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `rekeyd needs Node 24 or newer, this is ${process.version}. In a checkout, 'npm ci' brings the right one: use 'npm start' or 'npx rekeyd'.\n`,
  );
  process.exit(2);
}
const { main } = await import('../dist/main.js');
await main(process.argv.slice(2));
