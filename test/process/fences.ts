import { readFileSync } from 'node:fs';

/** A command that a page shows, with what it says that is printed. */
export interface ShownCommand {
  readonly command: string;
  /** Expected lines; `…` stands for anything within a line, a line of it alone for any number of lines. */
  readonly output: readonly string[];
}

/** What a page asks to have done, in its order: files that it shows, and commands that it runs. */
export type Fence =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: 'run'; readonly commands: readonly ShownCommand[] };

/**
 * The fences of a page that a test executes: one under the comment `file: NAME` is written to that file, one under the
 * comment `run` holds commands after `$ ` and what they print.
 */
export function fencesOf(path: string): Fence[] {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/^<!-- (run|file: (\S+)) -->\n+```\w+\n([\s\S]*?)^```$/gm)].map(([, , name, body = '']) =>
    name === undefined ? { kind: 'run', commands: commandsIn(body) } : { kind: 'file', name, text: body },
  );
}

function commandsIn(body: string): ShownCommand[] {
  const commands: { command: string; output: string[] }[] = [];
  for (const line of body.trimEnd().split('\n')) {
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2), output: [] });
    else commands.at(-1)?.output.push(line);
  }
  return commands;
}

/** What matches exactly the output that a page shows; spaces at the ends of lines and their number are not looked at. */
export function shown(output: readonly string[]): RegExp {
  const lines = output.map((line) =>
    line === '…'
      ? '(?:.*\\n)*?'
      : `${line
          .trim()
          .split('…')
          .map((part) => part.split(/ +/).map(escaped).join(' +'))
          .join('.*')} *\\n`,
  );
  return new RegExp(`^${lines.join('')}$`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
