import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { parse, sources, walk } from './source.ts';
import type { SourceFile } from './source.ts';

const MOST_LINES = 300;

/** What is against the style of the code and can be told from the syntax, as `path:line: what`. */
function faults({ path, text, syntax }: SourceFile): string[] {
  const found: string[] = [];
  const tell = (node: ts.Node, what: string): void => {
    const { line } = syntax.getLineAndCharacterOfPosition(node.getStart());
    found.push(`${path}:${line + 1}: ${what}`);
  };
  walk(syntax, (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) tell(node, 'any');
    if (node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent)) tell(node, 'default export');
    if (ts.isExportSpecifier(node) && node.name.text === 'default') tell(node, 'default export');
    if (ts.isExportAssignment(node)) tell(node, 'default export');
    if (ts.isEnumDeclaration(node)) tell(node, 'enum');
    // `declare module 'fastify'` adds to the types of a library: that is how its users are told to
    if (ts.isModuleDeclaration(node) && !ts.isStringLiteral(node.name)) tell(node, 'namespace');
    if (ts.isNonNullExpression(node)) tell(node, 'a `!` that the compiler is to believe');
    if (ts.isParameter(node) && ts.isParameterPropertyDeclaration(node, node.parent)) tell(node, 'parameter property');
    if (ts.isExportDeclaration(node) && node.exportClause === undefined) tell(node, 'export of all of another file');
  });
  text.split('\n').forEach((line, index) => {
    if (/\b(TODO|FIXME|XXX|HACK)\b/.test(line)) found.push(`${path}:${index + 1}: a mark of unfinished work`);
    if (/@ts-(ignore|nocheck|expect-error)/.test(line)) found.push(`${path}:${index + 1}: the compiler is silenced`);
    if (/eslint-disable(?!.* -- \S)/.test(line))
      found.push(`${path}:${index + 1}: a lint rule is switched off without a reason`);
  });
  return found;
}

describe('the code', () => {
  it('keeps to the style that can be told from its syntax', () => {
    expect(sources.flatMap(faults)).toEqual([]);
  });

  it(`has no file of more than ${MOST_LINES} lines`, () => {
    const long = sources
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > MOST_LINES);
    expect(long).toEqual([]);
  });

  it('has no file that is named after nothing', () => {
    const vague = /(^|\/)(utils?|helpers?|misc|common|index|types|stuff)\.ts$/;
    expect(sources.map((file) => file.path).filter((path) => vague.test(path))).toEqual([]);
  });

  it('would be told of each of these faults', () => {
    const bad = [
      'const x: any = 1;',
      'export default function x() {}',
      'export default 1;',
      'const x = 1;\nexport { x as default };',
      'enum X { A }',
      'namespace X {}',
      'x!.y;',
      'class X { constructor(readonly y: string) {} }',
      "export * from './b.ts';",
      '// TO' + 'DO: later',
      '// @ts-' + 'ignore',
      '// eslint-' + 'disable-next-line no-console',
    ];
    for (const text of bad) expect(faults(parse('domain/a.ts', text)), text).toHaveLength(1);
    expect(faults(parse('domain/a.ts', 'export const x = 1; // any default\nswitch (x) { default: }'))).toEqual([]);
  });
});
