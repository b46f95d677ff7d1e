import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { loadSettings } from '../config/load.ts';
import type { LoadSources } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { ConfigError } from '../domain/errors.ts';

/** What files held: a digest by path; null: it could not be read. */
export type FileStates = ReadonlyMap<string, string | null>;

/** What came of loading, with all files that were read for it: the configuration's own, and those of `${file:…}`. */
export type Loaded = { readonly seen: FileStates } & (
  { readonly settings: Settings } | { readonly error: ConfigError }
);

/** The files that a configuration is made of, to be loaded again and again while a process runs. */
export class ConfigFiles {
  readonly #files: readonly string[];
  readonly #sources: Omit<LoadSources, 'readFile'>;

  constructor(files: readonly string[], sources: Omit<LoadSources, 'readFile'>) {
    this.#files = files;
    this.#sources = sources;
  }

  /** For the first time: what can be read only once, such as a pipe, will do. It does not throw. */
  load(): Promise<Loaded> {
    return this.#loadBy(readFile);
  }

  /** Once more. What is no regular file is not asked again: it might never answer. It does not throw. */
  loadAgain(): Promise<Loaded> {
    return this.#loadBy(async (path) => {
      if (!(await stat(path)).isFile()) throw Object.assign(new Error('no regular file'), { code: 'no regular file' });
      return readFile(path);
    });
  }

  async #loadBy(read: LoadSources['readFile']): Promise<Loaded> {
    const seen = new Map<string, string | null>();
    const noting = async (path: string): Promise<Uint8Array> => {
      // of a file that is read twice meanwhile, what it held last
      seen.set(path, null);
      const bytes = await read(path);
      seen.set(path, digestOf(bytes));
      return bytes;
    };
    try {
      return { seen, settings: await loadSettings(this.#files, { ...this.#sources, readFile: noting }) };
    } catch (error) {
      if (error instanceof ConfigError) return { seen, error };
      throw error;
    }
  }
}

/** What the same files hold now. Symlinks are followed; what is no regular file is taken to be as it was. */
export async function lookAgain(seen: FileStates): Promise<FileStates> {
  const states = [...seen].map(async ([path, before]) => [path, await stateOf(path, before)] as const);
  return new Map(await Promise.all(states));
}

async function stateOf(path: string, before: string | null): Promise<string | null> {
  try {
    return (await stat(path)).isFile() ? digestOf(await readFile(path)) : before;
  } catch {
    return null; // which is a state of its own: loading tells what is wrong with it
  }
}

export function isSameState(one: FileStates, other: FileStates): boolean {
  return one.size === other.size && [...one].every(([path, state]) => other.has(path) && other.get(path) === state);
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}
