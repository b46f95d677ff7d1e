import { describe, expect, it } from 'vitest';
import { layerOf, parse, sources } from './source.ts';
import type { SourceFile } from './source.ts';

/**
 * Design, 'Shape of the code': a file imports from its own folder, or from one further down this list. Folders that share a
 * line do not know each other.
 */
const LAYERS: readonly (readonly string[])[] = [
  ['main', 'compose'],
  ['cli', 'http', 'dashboard'],
  ['daemon'],
  ['rotation'],
  ['issuers', 'vaults', 'ledger', 'webhooks', 'oidc'],
  ['config', 'telemetry'],
  ['domain'],
];

/** `main` may know `compose`: together they are the composition root. */
const TOGETHER = new Set(['main compose']);

/** The emulator is a program of its own: it stands beside the layers, and only these load it, when they are asked for. */
const EMULATOR_LOADERS = ['compose/demo.ts', 'compose/workshop.ts'];

function rankOf(layer: string): number {
  return LAYERS.findIndex((row) => row.includes(layer));
}

/** What a file imports from where it must not. */
function upward(file: SourceFile): string[] {
  return file.imports.flatMap(({ target }) => {
    if (target === null) return [];
    const layer = layerOf(target);
    if (layer === file.layer || TOGETHER.has(`${file.layer} ${layer}`)) return [];
    if (file.layer === 'emulator') return layer === 'domain' ? [] : [`${file.path} imports ${target}`];
    if (layer === 'emulator') return EMULATOR_LOADERS.includes(file.path) ? [] : [`${file.path} imports ${target}`];
    return rankOf(layer) > rankOf(file.layer) ? [] : [`${file.path} imports ${target}`];
  });
}

/** The first cycle that is found, as the paths along it; types count too. */
function cycleIn(files: readonly SourceFile[]): string[] | null {
  const all = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return null;
    trail.push(path);
    for (const { target } of all.get(path)?.imports ?? []) {
      const cycle = target === null ? null : visit(target);
      if (cycle !== null) return cycle;
    }
    trail.pop();
    done.add(path);
    return null;
  };
  for (const { path } of files) {
    const cycle = visit(path);
    if (cycle !== null) return cycle;
  }
  return null;
}

describe('the layers', () => {
  it('are the folders of src, each in its place', () => {
    const folders = [...new Set(sources.map((file) => file.layer))].filter((each) => each !== 'emulator');
    expect(folders.filter((each) => rankOf(each) < 0)).toEqual([]);
  });

  it('import only downward', () => {
    expect(sources.flatMap(upward)).toEqual([]);
  });

  it('have no cycle, types included', () => {
    expect(cycleIn(sources)).toBeNull();
  });

  it('import only files that exist, by their whole name', () => {
    const paths = new Set(sources.map((file) => file.path));
    const broken = sources.flatMap((file) =>
      file.imports
        .filter(({ target }) => target !== null && !paths.has(target))
        .map(({ specifier }) => `${file.path} imports ${specifier}`),
    );
    expect(broken).toEqual([]);
  });

  it('load the emulator, and what needs it, only when asked for', () => {
    const eager = new Set<string>();
    const visit = (path: string): void => {
      if (eager.has(path)) return;
      eager.add(path);
      const file = sources.find((each) => each.path === path);
      for (const each of file?.imports ?? [])
        if (each.target !== null && !each.lazy && !each.typeOnly) visit(each.target);
    };
    visit('main.ts');
    expect(eager.size).toBeGreaterThan(50);
    expect([...eager].filter((path) => path.startsWith('emulator/'))).toEqual([]);
    // a quick `rekeyd status` needs neither a server nor a database
    expect([...eager].filter((path) => path.startsWith('http/') || path.startsWith('daemon/daemon'))).toEqual([]);
  });

  it('know no backend outside of the registries and the composition root', () => {
    const backend = /^(issuers\/(?!contract)|vaults\/(?!contract)|ledger\/(?!contract|records))/;
    const own = new Set(['issuers', 'vaults', 'ledger', 'compose']);
    const known = sources
      .filter((file) => !own.has(file.layer))
      .flatMap((file) =>
        file.imports
          .filter(({ target, typeOnly }) => target !== null && backend.test(target) && !typeOnly)
          .map(({ target }) => `${file.path} imports ${target ?? ''}`),
      );
    expect(known).toEqual([]);
  });
});

describe('these tests themselves', () => {
  it('see an import upward, sideways, of the emulator, and a lazy one', () => {
    const bad = [
      parse('domain/a.ts', `import { x } from '../config/load.ts';`),
      parse('vaults/a.ts', `import type { x } from '../issuers/contract.ts';`),
      parse('config/a.ts', `export { x } from '../vaults/registry.ts';`),
      parse('daemon/a.ts', `await import('../emulator/emulator.ts');`),
      parse('emulator/a.ts', `import { x } from '../config/load.ts';`),
      parse('rotation/a.ts', `const x: import('../http/app.ts').X = 1;`),
    ];
    for (const file of bad) expect(upward(file), file.path).toHaveLength(1);
    expect(
      upward(parse('daemon/a.ts', `import { x } from '../domain/time.ts'; import './b.ts'; import 'node:fs';`)),
    ).toEqual([]);
  });

  it('see a cycle over types and over three files', () => {
    const files = [
      parse('domain/a.ts', `import type { B } from './b.ts';`),
      parse('domain/b.ts', `import { c } from './c.ts';`),
      parse('domain/c.ts', `export type { A } from './a.ts';`),
    ];
    expect(cycleIn(files)).toEqual(['domain/a.ts', 'domain/b.ts', 'domain/c.ts', 'domain/a.ts']);
    expect(cycleIn(files.slice(1))).toBeNull();
  });
});
