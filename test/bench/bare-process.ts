import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import ky from 'ky';
import type { KyInstance } from 'ky';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import type { EmulatorPlace } from './emulator-process.ts';
import { serve } from './remote.ts';
import { startStopwatch } from './stopwatch.ts';
import type { Effort } from './stopwatch.ts';
import { decryptions, encryptions } from './work.ts';
import type { Work } from './work.ts';

/** What the bare loop is told of the account and the ledger that it stands in for. */
export interface BareOptions {
  readonly place: EmulatorPlace;
  readonly folder: string;
  readonly clientIds: readonly string[];
  /** Documents like those of the daemon's ledger. */
  readonly documents: readonly string[];
}

/** How many times each thing is to be done for one credential. */
interface Share {
  readonly calls: readonly Call[];
  readonly commits: number;
  readonly records: number;
}

const CALLS = [
  'create-secret',
  'verify',
  'update-secret',
  'list-secrets',
  'encrypt',
  'decrypt',
  'delete-secret',
] as const;
type Call = (typeof CALLS)[number];

/** What one credential is worked on with. */
interface Subject {
  readonly clientId: string;
  readonly file: string;
  secret: { readonly id: number; readonly value: string } | null;
}

class BareLoop {
  readonly #options: BareOptions;
  readonly #api: KyInstance;
  readonly #database: DatabaseSync;
  readonly #documents: readonly unknown[];
  readonly #encrypter: Encrypter;
  readonly #decrypter: Decrypter;
  readonly #folder: string;
  readonly #update: StatementSync;
  /** A commit of the daemon holds one record and a bit on average: what is left over goes into the next one. */
  #owed = 0;

  private constructor(options: BareOptions, token: string, identity: string, recipient: string) {
    this.#options = options;
    const headers = { authorization: `Bearer ${token}` };
    this.#api = ky.create({ prefix: options.place.baseUrl, headers, retry: 0, timeout: 30_000 });
    this.#documents = options.documents.map((text) => JSON.parse(text) as unknown);
    this.#database = new DatabaseSync(`${options.folder}/bare.db`);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    this.#database.exec('CREATE TABLE document (id TEXT PRIMARY KEY, version INTEGER, doc TEXT) STRICT');
    this.#update = this.#database.prepare('UPDATE document SET version = version + 1, doc = ? WHERE id = ?');
    this.#encrypter = new Encrypter();
    this.#encrypter.addRecipient(recipient);
    this.#decrypter = new Decrypter();
    this.#decrypter.addIdentity(identity);
    this.#folder = `${options.folder}/bare`;
  }

  /** Gets a token, and puts a row and a file in place for each credential. */
  static async open(options: BareOptions): Promise<BareLoop> {
    const identity = await generateX25519Identity();
    const token = await tokenFor(options.place, options.place.clientId, options.place.clientSecret);
    const loop = new BareLoop(options, token, identity, await identityToRecipient(identity));
    await mkdir(loop.#folder);
    const insert = loop.#database.prepare('INSERT INTO document VALUES (?, 1, ?)');
    for (const clientId of options.clientIds) {
      for (const [kind, document] of loop.#documents.entries())
        insert.run(`${clientId}/${kind}`, JSON.stringify(document));
      await loop.#encrypt(`${loop.#folder}/${clientId}`, clientId, 'a value to begin with');
    }
    return loop;
  }

  /** Does `work`, spread evenly over the credentials. */
  async run(work: Work, concurrency: number): Promise<Effort> {
    const subjects = this.#options.clientIds.map((clientId): Subject => {
      return { clientId, file: `${this.#folder}/${clientId}`, secret: null };
    });
    const watch = startStopwatch();
    for (let n = work.requests['list-credentials'] ?? 0; n > 0; n -= 1) await this.#api('ClientCredential').json();
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let index = next++; index < subjects.length; index = next++) {
        const subject = subjects[index];
        if (subject !== undefined) await this.#visit(subject, shareOf(work, index, subjects.length));
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    const effort = watch();
    // what this work made and did not delete would pile up from round to round
    for (const subject of subjects) if (subject.secret !== null) await this.#do('delete-secret', subject);
    return effort;
  }

  async #visit(subject: Subject, { calls, commits, records }: Share): Promise<void> {
    for (const [index, call] of calls.entries()) {
      await this.#do(call, subject);
      for (let n = portion(commits, index, calls.length); n > 0; n -= 1)
        this.#commit(subject.clientId, records / commits);
    }
  }

  async #do(call: Call, subject: Subject): Promise<void> {
    const { clientId, file } = subject;
    const secrets = `ClientCredential/${clientId}/secrets`;
    switch (call) {
      case 'list-secrets':
        await this.#api(secrets).json();
        return;
      case 'create-secret': {
        const made = await this.#api
          .post(secrets, { json: { expires: inAnHour(), description: 'made by the bare loop' } })
          .json<{ clientSecretId: number; generatedSecret: string }>();
        subject.secret = { id: made.clientSecretId, value: made.generatedSecret };
        return;
      }
      case 'verify':
        await tokenFor(this.#options.place, clientId, subject.secret?.value ?? '');
        return;
      case 'update-secret': {
        const clientSecretId = subject.secret?.id ?? 0;
        const json = { clientSecretId, expires: inAnHour(), description: 'made by the bare loop' };
        await this.#api.put(`${secrets}/${clientSecretId}`, { json }).text();
        return;
      }
      case 'delete-secret':
        await this.#api.delete(`${secrets}/${subject.secret?.id ?? 0}`).text();
        subject.secret = null;
        return;
      case 'encrypt':
        await this.#encrypt(file, clientId, subject.secret?.value ?? '');
        return;
      case 'decrypt':
        await this.#decrypter.decrypt(Buffer.from(await readFile(file, 'utf8'), 'base64'), 'text');
    }
  }

  /** Durable, as a vault has to be: the file is on the disk before it takes its name, and so is the name. */
  async #encrypt(file: string, clientId: string, value: string): Promise<void> {
    const ciphertext = await this.#encrypter.encrypt(JSON.stringify({ clientId, clientSecret: value }));
    const temporary = `${file}.new`;
    {
      await using handle = await open(temporary, 'w', 0o600);
      await handle.writeFile(Buffer.from(ciphertext).toString('base64'));
      await handle.sync();
    }
    await rename(temporary, file);
    await using folder = await open(this.#folder, 'r');
    await folder.sync();
  }

  #commit(clientId: string, records: number): void {
    this.#database.exec('BEGIN IMMEDIATE');
    this.#owed += records;
    for (let kind = 0; this.#owed >= 1; kind += 1, this.#owed -= 1) {
      const at = kind % this.#documents.length;
      this.#update.run(JSON.stringify(this.#documents[at]), `${clientId}/${at}`);
    }
    this.#database.exec('COMMIT');
  }
}

async function tokenFor(place: EmulatorPlace, clientId: string, clientSecret: string): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    scope: 'BatchApi',
    client_id: clientId,
    client_secret: clientSecret,
  });
  const answer = await ky.post(place.tokenUrl, { body, retry: 0, timeout: 30_000 }).json<{ access_token: string }>();
  return answer.access_token;
}

function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString();
}

/** The part of the work that falls on credential `index` of `count`, in an order that makes sense to the issuer. */
function shareOf(work: Work, index: number, count: number): Share {
  const wanted: Record<Call, number> = {
    'create-secret': work.requests['create-secret'] ?? 0,
    verify: work.requests['verify'] ?? 0,
    'update-secret': work.requests['update-secret'] ?? 0,
    'list-secrets': work.requests['list-secrets'] ?? 0,
    encrypt: encryptions(work),
    decrypt: decryptions(work),
    'delete-secret': work.requests['delete-secret'] ?? 0,
  };
  return {
    calls: CALLS.flatMap((call) => Array.from({ length: portion(wanted[call], index, count) }, () => call)),
    commits: portion(work.commits, index, count),
    records: portion(work.records, index, count),
  };
}

/** How many of `whole` fall on place `index` of `count`, so that all places together have them all. */
function portion(whole: number, index: number, count: number): number {
  return Math.floor((whole * (index + 1)) / count) - Math.floor((whole * index) / count);
}

let loop: BareLoop | null = null;

const implementation = {
  async open(options: BareOptions): Promise<void> {
    loop = await BareLoop.open(options);
  },
  async run(work: Work, concurrency: number): Promise<Effort> {
    if (loop === null) throw new Error('not opened');
    return loop.run(work, concurrency);
  },
};

export type BareCalls = typeof implementation;
serve(implementation);
