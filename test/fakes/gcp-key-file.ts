import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';

/** One is enough for all tests of a process: making it takes a while. */
let key: string | null = null;

/**
 * Writes the key file of a service account that does not exist: with one, the library signs its tokens by itself.
 * @param id the key's, which its tokens name
 */
export function writeGcpKeyFile(path: string, id = 'test'): void {
  key ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
  const account = {
    type: 'service_account',
    project_id: 'test-project',
    private_key_id: id,
    private_key: key,
    client_email: 'rekeyd@test-project.iam.gserviceaccount.com',
    client_id: '1',
    token_uri: 'https://oauth2.googleapis.com/token',
  };
  writeFileSync(path, JSON.stringify(account), { mode: 0o600 });
}
