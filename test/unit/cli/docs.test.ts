import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../../src/cli/program.ts';
import type { Workshop } from '../../../src/cli/workshop.ts';
import { standingPorts } from './bench.ts';

const workshop = { version: '0.0.0', ports: standingPorts() } as Workshop;
const io = {
  out: () => undefined,
  written: () => Promise.resolve(true),
  err: () => undefined,
  outIsTerminal: false,
  errIsTerminal: false,
  ask: null,
  env: {},
};

function pathsOf(command: Command, before: readonly string[] = []): string[][] {
  return command.commands.flatMap((one) => {
    const path = [...before, one.name()];
    return one.commands.length === 0 ? [path] : pathsOf(one, path);
  });
}

describe('docs/cli.md', () => {
  it('has a section for every command, an example of each, and none that does not exist', async () => {
    const text = await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
    const program = buildProgram({ workshop, io, act: () => () => Promise.resolve() });
    const paths = pathsOf(program);
    expect(paths.length).toBeGreaterThan(20);
    const sections = new Set(
      paths.map((path) =>
        path
          .slice(0, 2)
          .filter((_, index) => index === 0 || path[0] === 'data8')
          .join(' '),
      ),
    );
    const headings = [...text.matchAll(/^### rekeyd (.+)$/gm)].map((match) => match[1]);
    expect(headings).toEqual(expect.arrayContaining([...sections]));
    expect(headings).toHaveLength(sections.size);
    for (const path of paths.filter((one) => one[0] !== 'demo')) {
      expect(text).toMatch(new RegExp(`^rekeyd ${path.join(' ')}( |$)`, 'm'));
    }
  });

  it('shows only options that there are', async () => {
    const text = await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
    const program = buildProgram({ workshop, io, act: () => () => Promise.resolve() });
    const known = new Set(['--help', '--version', ...optionsOf(program)]);
    const shown = new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map((match) => match[0]));
    for (const option of shown) expect(known).toContain(option);
  });
});

function optionsOf(command: Command): string[] {
  return [...command.options.map((option) => option.long ?? ''), ...command.commands.flatMap(optionsOf)];
}
