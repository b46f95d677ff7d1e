import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import ts from 'typescript';

export const ROOT = join(import.meta.dirname, '../../..');

/** A file under src, by its path from there, and what it imports. */
export interface SourceFile {
  /** From src, with slashes: `rotation/plan.ts`. */
  readonly path: string;
  /** The folder under src, or the file's own name for one that lies there directly (`main`). */
  readonly layer: string;
  readonly text: string;
  readonly syntax: ts.SourceFile;
  readonly imports: readonly Import[];
}

export interface Import {
  /** From src; null: a package or a module of Node. */
  readonly target: string | null;
  readonly specifier: string;
  /** `import(…)`: loaded only where it is needed. */
  readonly lazy: boolean;
  readonly typeOnly: boolean;
}

/** All files under src, parsed once. */
export const sources: readonly SourceFile[] = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => parse(name.replaceAll('\\', '/')))
  .sort((a, b) => (a.path < b.path ? -1 : 1));

export function parse(path: string, text = readFileSync(join(ROOT, 'src', path), 'utf8')): SourceFile {
  const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { path, layer: layerOf(path), text, syntax, imports: importsOf(path, syntax) };
}

export function layerOf(path: string): string {
  return (path.split('/')[0] ?? '').replace(/\.ts$/, '');
}

/** Calls `visit` for a node and all below it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => {
    walk(child, visit);
  });
}

function importsOf(path: string, syntax: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, lazy: boolean, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return;
    const local = specifier.text.startsWith('.');
    const target = local
      ? relative('/', join('/', dirname(path), specifier.text))
          .split('\\')
          .join(posix.sep)
      : null;
    found.push({ target, specifier: specifier.text, lazy, typeOnly });
  };
  walk(syntax, (node) => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, false, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, false, node.isTypeOnly);
    else if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, false, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], true, false);
    }
  });
  return found;
}
