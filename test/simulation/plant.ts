import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { withEdit } from './planted-bug.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';

/**
 * Preloaded (`node --import`): puts the bug that `REKEYD_PLANTED_BUG` names into the sources as they are loaded. Fails where
 * its place is not in the file exactly once, or where the file was never loaded.
 */
const ROOT = new URL('../../', import.meta.url);

const name = process.env['REKEYD_PLANTED_BUG'] ?? '';
const bug = PLANTED_BUGS.find((each) => each.name === name);
if (bug === undefined) throw new Error(`there is no planted bug ${JSON.stringify(name)}`);

// at once, so that it fails before anything runs where the source went on
const planted = new Map<string, string>();
for (const edit of bug.edits) {
  const { href } = new URL(edit.file, ROOT);
  planted.set(href, withEdit(planted.get(href) ?? readFileSync(new URL(href), 'utf8'), edit));
}

const waiting = new Set(planted.keys());
registerHooks({
  load: (url, context, nextLoad) => {
    const source = planted.get(url);
    if (source === undefined) return nextLoad(url, context);
    waiting.delete(url);
    return { ...nextLoad(url, context), source };
  },
});
process.once('exit', () => {
  if (waiting.size > 0) throw new Error(`${[...waiting].join(', ')} was never loaded: ${name} was not planted`);
});
