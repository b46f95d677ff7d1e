// What a consumer of the vault `directory` does, for docker-compose.yml's demo: it reads the file when it needs the secret.
//   node consumer.mjs FILE
import { readFile } from 'node:fs/promises';

const [file] = process.argv.slice(2);
let last = '';
for (;;) {
  try {
    const { clientId, secretId, expires } = JSON.parse(await readFile(file, 'utf8'));
    if (secretId !== last)
      process.stdout.write(`uses secret ${secretId} of ${clientId}, which is valid until ${expires}\n`);
    last = secretId;
  } catch (error) {
    // until the first delivery there is no file
    if (error.code !== 'ENOENT') process.stdout.write(`${file} cannot be used: ${error.code ?? error.name}\n`);
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
}
