import { dirname, resolve } from 'node:path';
import { ConfigError } from '../domain/errors.ts';
import { loadSettings, readMerged } from './load.ts';
import type { LoadSources } from './load.ts';
import { Report, TreeReport } from './report.ts';
import { httpShape } from './schema.ts';
import { folderOf } from './sections.ts';
import { substituteTree } from './substitution.ts';
import { plainValue } from './tree.ts';
import type { Node } from './tree.ts';
import { isRecord, validateShape } from './validation.ts';

const socketShape = { socket: httpShape.socket };
const portShape = { host: httpShape.host, port: httpShape.port };

/** The local socket of a daemon on this machine, an absolute path; where that is off, what it listens on. */
type Place = { readonly socket: string } | { readonly socket: null; readonly host: string; readonly port: number };

export type WayIn = Place & {
  /** Why nothing but this could be taken from the configuration; null: all of it can be used. */
  readonly unusable: ConfigError | null;
};

/**
 * Where the daemon of a configuration is reached. A daemon goes on with what it has while somebody edits the files: so it is
 * found also where they cannot be used as a whole, as long as they are YAML, and `http.socket` can be told (where that is
 * null, `http.host` and `http.port`). Each file is read once, since it may be a pipe.
 * @throws ConfigError with every problem of the whole, where not even that can be told. It throws nothing else.
 */
export async function loadWayIn(files: readonly string[], sources: LoadSources): Promise<WayIn> {
  const once = { ...sources, readFile: readingOnce(sources.readFile) };
  try {
    const { socket, host, port } = (await loadSettings(files, once)).http;
    return { ...(socket === null ? { socket, host, port } : { socket }), unusable: null };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const place = await readPlace(files, once);
    if (place === null) throw error;
    return { ...place, unusable: error };
  }
}

function readingOnce(readFile: LoadSources['readFile']): LoadSources['readFile'] {
  const read = new Map<string, ReturnType<LoadSources['readFile']>>();
  return (path) => {
    const bytes = read.get(path) ?? readFile(path);
    read.set(path, bytes);
    return bytes;
  };
}

/** Null where it cannot be told. */
async function readPlace(files: readonly string[], sources: LoadSources): Promise<Place | null> {
  const report = new Report(files);
  const root = await readMerged(files, sources, report);
  if (root === null || !report.isEmpty()) return null;
  const read = async <Shape extends typeof socketShape | typeof portShape>(shape: Shape) => {
    const part = await substituteTree(httpPart(root, Object.keys(shape)), sources, report);
    const value = plainValue(part);
    const tree = new TreeReport(part, report);
    return { tree, found: validateShape(shape, isRecord(value) ? value['http'] : undefined, ['http'], tree) };
  };
  const { tree, found } = await read(socketShape);
  if (!report.isEmpty()) return null;
  if (typeof found.socket === 'string') {
    const folder = folderOf(tree, ['http', 'socket'], dirname(resolve(files[0] ?? '.')));
    return { socket: resolve(folder, found.socket) };
  }
  const { host, port } = (await read(portShape)).found;
  return report.isEmpty() && host !== undefined && port !== undefined ? { socket: null, host, port } : null;
}

/** A tree of nothing but these keys of the section `http`. */
function httpPart(root: Node, keys: readonly string[]): Node {
  if (root.kind !== 'map') return root;
  const entries = new Map([...root.entries].filter(([key]) => key === 'http'));
  const http = entries.get('http');
  if (http?.node.kind === 'map') {
    const kept = new Map([...http.node.entries].filter(([key]) => keys.includes(key)));
    entries.set('http', { ...http, node: { ...http.node, entries: kept } });
  }
  return { ...root, entries };
}
