/** The binary with a umask that takes nothing away: what is private then was made so on purpose (S8). */
process.umask(0);
const binary = '../../bin/rekeyd.js';
await import(binary);
