import type { Access } from './access.ts';
import type { App } from './context.ts';
import { HttpProblem } from './problem.ts';

/** A path that there is, whatever the method. */
export interface KnownPath {
  /** Who may be told of it: what its routes ask of a reader. */
  readonly access: Extract<Access, 'public' | 'viewer'>;
  /** 405, with `allow`. */
  refusal(): HttpProblem;
}

/**
 * Finds the path of a request whose method is not one of that path's; null: it is, or there is no such path.
 * @param route the pattern of the route that took the request; undefined: none did.
 */
export type FindPath = (method: string, url: string, route: string | undefined) => KnownPath | null;

/**
 * Adds routes by `add` and remembers their paths, so that another method can be told from another path. Routes that refuse
 * would say the same, but there would be seven for each, which is a tenth of the time that a start takes.
 */
export function rememberPaths(app: App, add: () => void): FindPath {
  const paths = new Map<string, { readonly methods: Set<string>; access: 'public' | 'viewer' }>();
  app.addHook('onRoute', ({ url, method, config }) => {
    const path = paths.get(url) ?? { methods: new Set(), access: 'viewer' };
    for (const name of [method].flat()) path.methods.add(name);
    if (config?.access === 'public') path.access = 'public';
    paths.set(url, path);
  });
  add();
  return (method, url, route) => {
    const [path = ''] = url.split('?', 1);
    // a path that is named whole comes before a pattern: `/v1/things/new` is no id
    const named = paths.get(path);
    const found = named ?? (route === undefined ? [...paths].find(([pattern]) => isAt(path, pattern))?.[1] : undefined);
    if (found === undefined || found.methods.has(method)) return null;
    const allow = [...found.methods].sort().join(', ');
    return {
      access: found.access,
      refusal: () => new HttpProblem('method-not-allowed', `Here can be used: ${allow}.`, { headers: { allow } }),
    };
  };
}

/** A parameter of a route (`:id`) is whatever stands between two slashes. */
function isAt(path: string, url: string): boolean {
  const parts = path.split('/');
  const pattern = url.split('/');
  if (parts.length !== pattern.length) return false;
  return pattern.every((each, index) => (each.startsWith(':') ? parts[index] !== '' : parts[index] === each));
}
