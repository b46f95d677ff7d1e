import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Account, CredentialRecord } from './account.ts';
import { parseTimestamp, timestampAt } from './timestamp.ts';
import type { Timestamp } from './timestamp.ts';

/** The file cannot be used; the message says which one and what to do. */
export class DataFileError extends Error {
  override readonly name = 'DataFileError';
}

const instant = z.string().transform((text, context): Timestamp => {
  const timestamp = parseTimestamp(text);
  if (timestamp !== null) return timestamp;
  context.addIssue({ code: 'custom', message: 'not a time' });
  return z.NEVER;
});

/** Hashes only: no value of a secret is ever in the file. */
const contents = z.strictObject({
  version: z.literal(1),
  nextSecretId: z.int().min(1),
  credentials: z.array(
    z.strictObject({
      clientId: z.string().min(1),
      description: z.string().nullable(),
      administrator: z.boolean(),
      secrets: z.array(
        z.strictObject({
          clientSecretId: z.int(),
          description: z.string().nullable(),
          expires: instant.nullable(),
          created: instant,
          sha256: z.string().regex(/^[0-9a-f]{64}$/),
        }),
      ),
    }),
  ),
});

/** Keeps an account in a JSON file. */
export class DataFile {
  readonly #path: string;
  readonly #account: Account;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(path: string, account: Account) {
    this.#path = path;
    this.#account = account;
  }

  /**
   * Loads the file into the account.
   * @returns false where there is no file yet.
   * @throws DataFileError where it is there and cannot be read whole: nothing is overwritten then.
   */
  async load(): Promise<boolean> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false;
      throw new DataFileError(`${this.#path}: cannot be read (${errorCode(error)}). Check the path and its rights.`);
    }
    const parsed = contents.safeParse(jsonOf(text));
    if (!parsed.success) {
      throw new DataFileError(
        `${this.#path}: this is not a data file of the emulator. Name another file, or move this one away to start empty.`,
      );
    }
    const { credentials, nextSecretId } = parsed.data;
    this.#account.restore(
      credentials.map(({ clientId, description, administrator, secrets }): CredentialRecord => {
        const records = secrets.map((secret) => ({
          ...secret,
          clientId,
          created: secret.created.at,
          deleted: null,
          changes: null,
        }));
        return {
          clientId,
          description,
          administrator,
          secrets: new Map(records.map((secret) => [secret.clientSecretId, secret])),
        };
      }),
      nextSecretId,
    );
    return true;
  }

  /**
   * Writes the account as it is now, or a moment later: calls that come while a write is under way share the next one.
   * Fulfilled when it is on the disk. @throws the system's error; the file is then as it was.
   */
  save(): Promise<void> {
    this.#next ??= this.#writing.then(() => {
      this.#next = null;
      const written = this.#write();
      this.#writing = written.catch(() => undefined); // told to those who wait for `written`
      return written;
    });
    return this.#next;
  }

  async #write(): Promise<void> {
    const temporary = `${this.#path}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(`${JSON.stringify(this.#snapshot(), null, 1)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    const folder = await open(dirname(this.#path));
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  #snapshot(): z.input<typeof contents> {
    return {
      version: 1,
      nextSecretId: this.#account.nextSecretId,
      credentials: Array.from(this.#account.credentials(), ({ clientId, description, administrator, secrets }) => ({
        clientId,
        description,
        administrator,
        secrets: Array.from(secrets.values(), (secret) => ({
          clientSecretId: secret.clientSecretId,
          description: secret.description,
          expires: secret.expires?.text ?? null,
          created: timestampAt(secret.created).text,
          sha256: secret.sha256,
        })),
      })),
    };
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema refuses it; the parser's message would quote the file
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
