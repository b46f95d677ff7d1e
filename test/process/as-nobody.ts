/** The binary as a user whom file modes stop: for root they would not. */
if (process.getuid?.() === 0) {
  process.setgid?.(65_534);
  process.setuid?.(65_534);
}
const binary = '../../bin/rekeyd.js';
await import(binary);
