import { fileURLToPath } from 'node:url';

/** The binary under a limit on the size of files, which stands for a full disk. */
const BINARY = fileURLToPath(new URL('../../bin/rekeyd.js', import.meta.url));
const limited = 'ulimit -f 1000; exec "$0" "$@"';
process.execve?.('/bin/sh', ['sh', '-c', limited, process.execPath, BINARY, ...process.argv.slice(2)], process.env);
