import { dirname, resolve } from 'node:path';
import type { Report } from './report.ts';
import type { Entry, Node, Path, Place, ScalarNode } from './tree.ts';

/** Larger than any secret, and small enough that a wrong path does no harm. */
const MOST_BYTES = 1024 * 1024;
const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

export interface SubstitutionSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @throws whatever the file system throws; its `code` is told. */
  readonly readFile: (path: string) => Promise<Uint8Array>;
}

/**
 * Puts variables and files in the place of `${NAME}`, `${NAME:-default}` and `${file:/path}` inside text values; `$${`
 * stands for `${`. A result is never looked at again. Keys are left alone. What was put in is hidden from messages.
 * @returns a new tree; every problem is in `report`. It does not throw.
 */
export async function substituteTree(root: Node, sources: SubstitutionSources, report: Report): Promise<Node> {
  return new Substitution(sources, report).node(root, []);
}

class Substitution {
  readonly #sources: SubstitutionSources;
  readonly #report: Report;
  readonly #files = new Map<string, Promise<{ text: string } | { problem: string }>>();
  readonly #done = new Map<Node, Node>();

  constructor(sources: SubstitutionSources, report: Report) {
    this.#sources = sources;
    this.#report = report;
  }

  async node(node: Node, path: Path): Promise<Node> {
    const done = this.#done.get(node);
    if (done !== undefined) return done;
    const made = await this.#make(node, path);
    this.#done.set(node, made);
    return made;
  }

  async #make(node: Node, path: Path): Promise<Node> {
    switch (node.kind) {
      case 'scalar':
        return typeof node.value === 'string' && node.value.includes('${')
          ? this.#scalar(node, node.value, path)
          : node;
      case 'list': {
        const items: Node[] = [];
        for (const [index, item] of node.items.entries()) items.push(await this.node(item, [...path, index]));
        return { ...node, items };
      }
      case 'map': {
        const entries = new Map<string, Entry>();
        for (const [key, entry] of node.entries) {
          entries.set(key, { ...entry, node: await this.node(entry.node, [...path, key]) });
        }
        return { ...node, entries };
      }
    }
  }

  async #scalar(node: ScalarNode, source: string, path: Path): Promise<Node> {
    let value = '';
    let end = 0;
    for (const match of source.matchAll(REFERENCE)) {
      value += source.slice(end, match.index);
      end = match.index + match[0].length;
      value += await this.#reference(match[0], match[1] ?? '', node.place, path);
    }
    value += source.slice(end);
    // Two short parts may make one long secret.
    if (value !== source) this.#report.hide(value);
    return { ...node, value, source };
  }

  /** What one reference stands for; empty where that is a problem. */
  async #reference(whole: string, inner: string, place: Place, path: Path): Promise<string> {
    if (whole === '$${') return '${';
    const fail = (message: string): string => {
      this.#report.broken(place, path, message);
      return '';
    };
    if (!whole.endsWith('}')) return fail('a ${ without its }; write $${ where it is meant as it stands');
    if (inner.includes('${')) return fail('a ${…} cannot stand inside another');
    if (inner.startsWith('file:')) {
      const read = await this.#file(inner.slice('file:'.length), place);
      return 'text' in read ? this.#hidden(read.text) : fail(read.problem);
    }
    const [, name, fallback] = VARIABLE.exec(inner) ?? [];
    if (name === undefined) {
      return fail('${…} takes a variable ${NAME}, ${NAME:-default} or a file ${file:/path}; write $${ for a plain ${');
    }
    const value = this.#sources.env[name];
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : this.#hidden(value);
    return value === undefined ? fail(`the environment variable ${name} is not set`) : this.#hidden(value);
  }

  #hidden(text: string): string {
    this.#report.hide(text);
    return text;
  }

  #file(name: string, place: Place): Promise<{ text: string } | { problem: string }> {
    if (name === '') return Promise.resolve({ problem: '${file:} names no file' });
    const path = resolve(dirname(resolve(place.file)), name);
    const known = this.#files.get(path) ?? this.#read(path);
    this.#files.set(path, known);
    return known;
  }

  async #read(path: string): Promise<{ text: string } | { problem: string }> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#sources.readFile(path);
    } catch (error) {
      return { problem: `the file ${path} cannot be read (${systemCode(error)})` };
    }
    if (bytes.byteLength > MOST_BYTES) return { problem: `the file ${path} is larger than 1 MiB` };
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      return { text: text.replace(/\r?\n$/, '') };
    } catch {
      return { problem: `the file ${path} is not UTF-8 text` };
    }
  }
}

/** The system's code of a failure to read (`ENOENT`). */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unreadable';
}
