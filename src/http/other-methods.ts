import type { HTTPMethods } from 'fastify';
import type { Access } from './access.ts';
import type { App } from './context.ts';
import { HttpProblem } from './problem.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const satisfies HTTPMethods[];

/** Adds routes by `add`, then answers every other method on their paths with 405 and `allow`. */
export function refuseOtherMethods(app: App, add: () => void): void {
  const paths = new Map<string, { readonly methods: Set<string>; access: Access }>();
  let adding = true;
  app.addHook('onRoute', ({ url, method, config }) => {
    if (!adding) return;
    const path = paths.get(url) ?? { methods: new Set(), access: 'viewer' };
    for (const name of [method].flat()) path.methods.add(name);
    if (config?.access === 'public') path.access = 'public';
    paths.set(url, path);
  });
  add();
  adding = false;
  for (const [url, { methods, access }] of paths) {
    const allow = [...methods].sort().join(', ');
    const refuse = (): Promise<never> =>
      Promise.reject(new HttpProblem('method-not-allowed', `Here can be used: ${allow}.`, { headers: { allow } }));
    app.route({
      url,
      method: METHODS.filter((method) => !methods.has(method)),
      config: { access },
      // Before a body is looked at: what is wrong with it does not matter here.
      onRequest: refuse,
      handler: refuse,
    });
  }
}
