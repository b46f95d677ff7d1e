/** Where something stands in a configuration file. `file` is as the person named it. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A configuration as it was written: every part knows where it stands. */
export type Node = MapNode | ListNode | ScalarNode;

export interface MapNode {
  readonly kind: 'map';
  readonly place: Place;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface ListNode {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly Node[];
}

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly place: Place;
  readonly value: string | number | boolean | null;
  /** The text as it stands in the file, where a variable or a file was put into `value`; else null. */
  readonly source: string | null;
}

export interface Entry {
  /** Where the key stands. */
  readonly keyPlace: Place;
  readonly node: Node;
}

export type Path = readonly (string | number)[];

/** Later over earlier: maps are merged deeply, everything else is replaced. */
export function mergeNodes(earlier: Node, later: Node): Node {
  if (earlier.kind !== 'map' || later.kind !== 'map') return later;
  const entries = new Map(earlier.entries);
  for (const [key, entry] of later.entries) {
    const before = entries.get(key);
    entries.set(key, before === undefined ? entry : { ...entry, node: mergeNodes(before.node, entry.node) });
  }
  return { ...later, entries };
}

/** The plain value of a tree: new objects, arrays and scalars. Keys that would reach a prototype never get this far. */
export function plainValue(node: Node): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(plainValue);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainValue(entry.node)]));
  }
}

/** The node at a path; null where there is none. */
export function nodeAt(root: Node, path: Path): Node | null {
  return find(root, path).rest.length === 0 ? find(root, path).node : null;
}

/**
 * Where to point for a path: at the value; with `key`, at its key; and for what is not there, at the key of the part that
 * lacks it.
 */
export function placeOf(root: Node, path: Path, key = false): Place {
  const { node, keyPlace, rest } = find(root, path);
  return rest.length > 0 || key ? keyPlace : node.place;
}

function find(root: Node, path: Path): { node: Node; keyPlace: Place; rest: Path } {
  let node = root;
  let keyPlace = root.place;
  for (const [index, step] of path.entries()) {
    const next = child(node, step);
    if (next === null) return { node, keyPlace, rest: path.slice(index) };
    ({ node, keyPlace } = next);
  }
  return { node, keyPlace, rest: [] };
}

function child(node: Node, step: string | number): Entry | null {
  if (node.kind === 'map') return node.entries.get(String(step)) ?? null;
  if (node.kind === 'list' && typeof step === 'number') {
    const item = node.items[step];
    return item === undefined ? null : { node: item, keyPlace: item.place };
  }
  return null;
}

/** A path as a person writes it: `credentials[0].deliver[1].vault`. */
export function formatPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[A-Za-z_][\w-]*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}
