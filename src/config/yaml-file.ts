import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node as YamlNode, YAMLError, YAMLMap, YAMLSeq } from 'yaml';
import type { Report } from './report.ts';
import type { Entry, Node, Path, Place } from './tree.ts';

const MOST_BYTES = 4 * 1024 * 1024;
/** Aliases may repeat a part, but a small file must not stand for a huge one. */
const MOST_NODES = 200_000;
const DEEPEST = 64;
/** Keys that would reach an object's prototype. Validators drop some of them silently, so they are looked for here. */
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads one YAML file (1.2, core schema; anchors yes, merge keys and custom tags no) into a tree. An empty file is an
 * empty map.
 * @returns null where it cannot be read; every problem is in `report`. It does not throw.
 */
export function parseYamlFile(file: string, bytes: Uint8Array, report: Report): Node | null {
  if (bytes.byteLength > MOST_BYTES) {
    report.general(file, '', 'is larger than 4 MiB');
    return null;
  }
  const text = decode(bytes);
  if (text === null) {
    report.general(file, '', 'is not UTF-8 text');
    return null;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    prettyErrors: false,
    lineCounter: lines,
    logLevel: 'error',
  });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const faults = syntaxFaults(document);
  const paths = faults.some(isDuplicate) ? pathsOfKeys(document) : null;
  for (const fault of faults) {
    const path = isDuplicate(fault) ? paths?.get(fault.pos[0]) : undefined;
    report.at(placeOf(fault.pos[0]), path ?? [], syntaxMessage(fault));
  }
  if (faults.length > 0) return null;
  return new TreeBuilder(document, placeOf, report).build();
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Every duplicate key, and the first of the rest: what follows a broken place is mostly its echo. */
function syntaxFaults(document: Document): YAMLError[] {
  const faults: YAMLError[] = [...document.errors, ...document.warnings];
  const duplicates = faults.filter(isDuplicate);
  const others = faults.filter((fault) => !isDuplicate(fault)).sort((a, b) => a.pos[0] - b.pos[0]);
  return [...duplicates, ...others.slice(0, 1)];
}

function isDuplicate({ code }: YAMLError): boolean {
  return code === 'DUPLICATE_KEY';
}

/** The path of each key, by the offset at which it stands. */
function pathsOfKeys(document: Document): ReadonlyMap<number, Path> {
  const paths = new Map<number, Path>();
  const left: { node: unknown; path: Path }[] = [{ node: document.contents, path: [] }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { node, path } = next;
    if (path.length > DEEPEST) continue;
    if (isSeq(node))
      for (const [index, item] of node.items.entries()) left.push({ node: item, path: [...path, index] });
    if (!isMap(node)) continue;
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue;
      const inner = [...path, String(key.value)];
      if (key.range) paths.set(key.range[0], inner);
      left.push({ node: value, path: inner });
    }
  }
  return paths;
}

/** Words of our own: the parser's messages may quote the file, and a file may hold a secret. */
function syntaxMessage(fault: YAMLError): string {
  switch (fault.code) {
    case 'DUPLICATE_KEY':
      return 'this key is there twice';
    case 'MULTIPLE_DOCS':
      return 'only one YAML document a file (remove the --- line)';
    case 'TAB_AS_INDENT':
      return 'is indented with a tab: YAML wants spaces';
    case 'BAD_INDENT':
      return 'the indentation does not fit what stands around it';
    case 'TAG_RESOLVE_FAILED':
      return 'tags such as !name are not supported';
    case 'BAD_DQ_ESCAPE':
      return 'unknown escape in a double-quoted text (single quotes take a backslash as it is)';
    case 'BAD_SCALAR_START':
      return 'a plain text cannot start like this: put it in quotes';
    case 'MISSING_CHAR':
      return 'a closing quote, a comma, a colon or a space is missing here';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a map cannot start in the middle of a line: a text with ": " in it goes in quotes';
    case 'BAD_ALIAS':
      return 'this anchor or alias has no proper name';
    case 'RESOURCE_EXHAUSTION':
      return 'is nested too deeply';
    default:
      return `is not valid YAML (${fault.code}); inside { } and [ ] a text with \${…} goes in quotes`;
  }
}

class TreeBuilder {
  readonly #document: Document;
  readonly #placeOf: (offset: number) => Place;
  readonly #report: Report;
  /** Built nodes by what they were built of, so that an alias costs nothing; null: being built. */
  readonly #built = new Map<YamlNode, { node: Node; size: number } | null>();
  #tooLarge = false;

  constructor(document: Document, placeOf: (offset: number) => Place, report: Report) {
    this.#document = document;
    this.#placeOf = placeOf;
    this.#report = report;
  }

  build(): Node | null {
    const start = this.#placeOf(0);
    const contents: YamlNode | null = this.#document.contents;
    if (contents === null || (isScalar(contents) && contents.value === null)) {
      return { kind: 'map', place: start, entries: new Map() };
    }
    if (!isMap(contents)) {
      this.#report.at(this.#place(contents), [], 'the file must hold a map: keys and values');
      return null;
    }
    return this.#convert(contents, []).node;
  }

  #place(node: YamlNode): Place {
    return this.#placeOf(node.range?.[0] ?? 0);
  }

  #convert(node: YamlNode | null, path: Path): { node: Node; size: number } {
    if (node === null) return { node: scalar(this.#placeOf(0), null), size: 1 };
    if (isAlias(node)) return this.#alias(node, path);
    const known = this.#built.get(node);
    if (known !== undefined && known !== null) return known;
    this.#built.set(node, null);
    const made = this.#make(node, path);
    this.#built.set(node, made);
    return made;
  }

  #alias(alias: Extract<YamlNode, { source: string }>, path: Path): { node: Node; size: number } {
    const place = this.#place(alias);
    const target = alias.resolve(this.#document);
    const problem =
      target === undefined
        ? `there is no anchor &${alias.source} before this alias`
        : this.#built.get(target) === null
          ? `the alias *${alias.source} stands inside what it stands for`
          : null;
    if (target === undefined || problem !== null) {
      this.#report.at(place, path, problem ?? '');
      return { node: scalar(place, null), size: 1 };
    }
    return this.#convert(target, path);
  }

  #make(node: YamlNode, path: Path): { node: Node; size: number } {
    const place = this.#place(node);
    if (path.length > DEEPEST) {
      this.#report.at(place, path, 'is nested too deeply');
      return { node: scalar(place, null), size: 1 };
    }
    if (isMap(node)) return this.#checked(this.#map(node, place, path), place, path);
    if (isSeq(node)) return this.#checked(this.#list(node, place, path), place, path);
    const value: unknown = isScalar(node) ? node.value : null;
    return {
      node: scalar(
        place,
        typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null,
      ),
      size: 1,
    };
  }

  #map(map: YAMLMap, place: Place, path: Path): { node: Node; size: number } {
    const entries = new Map<string, Entry>();
    let size = 1;
    for (const pair of map.items) {
      const keyNode = pair.key as YamlNode | null;
      const keyPlace = keyNode === null ? place : this.#place(keyNode);
      const key: unknown = isScalar(keyNode) ? keyNode.value : undefined;
      const problem = keyProblem(key);
      if (typeof key !== 'string' || problem !== null) {
        this.#report.at(keyPlace, typeof key === 'string' ? [...path, key] : path, problem ?? '');
        continue;
      }
      const value = pair.value as YamlNode | null;
      const child = value === null ? { node: scalar(keyPlace, null), size: 1 } : this.#convert(value, [...path, key]);
      size += child.size;
      entries.set(key, { keyPlace, node: child.node });
    }
    return { node: { kind: 'map', place, entries }, size };
  }

  #list(list: YAMLSeq, place: Place, path: Path): { node: Node; size: number } {
    const built = list.items.map((item, index) => this.#convert(item as YamlNode | null, [...path, index]));
    const size = built.reduce((sum, item) => sum + item.size, 1);
    return { node: { kind: 'list', place, items: built.map((item) => item.node) }, size };
  }

  #checked(made: { node: Node; size: number }, place: Place, path: Path): { node: Node; size: number } {
    if (made.size <= MOST_NODES) return made;
    if (!this.#tooLarge) this.#report.at(place, path, 'its aliases stand for more than 200,000 values');
    this.#tooLarge = true;
    return { node: scalar(place, null), size: 1 };
  }
}

function keyProblem(key: unknown): string | null {
  if (typeof key !== 'string') return 'this key is not text: put it in quotes';
  if (FORBIDDEN_KEYS.has(key)) return 'this key is not allowed anywhere';
  if (key === '<<') return 'merge keys (<<) are off: repeat the keys, or use several files';
  return null;
}

function scalar(place: Place, value: string | number | boolean | null): Node {
  return { kind: 'scalar', place, value, source: null };
}
