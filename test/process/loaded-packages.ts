import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/**
 * Loaded into a process before all else (`--import`): writes the name of each npm package that it loads a module of, a line
 * each, to the file REKEYD_TEST_LOADED.
 */
const file = process.env['REKEYD_TEST_LOADED'] ?? '';
const seen = new Set<string>();
appendFileSync(file, '');
registerHooks({
  load: (url, context, next) => {
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
    if (name !== undefined && !seen.has(name)) {
      seen.add(name);
      appendFileSync(file, `${name}\n`);
    }
    return next(url, context);
  },
});
