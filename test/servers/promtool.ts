import { join } from 'node:path';
import type { ServerRecipe } from './provided-server.ts';

/** Where promtool is: no server, but had in the same ways. https://prometheus.io/docs/prometheus/latest/command-line/promtool/ */
export const promtool: ServerRecipe<{ readonly path: string }> = {
  name: 'promtool',
  variables: ['REKEYD_PROMTOOL'],
  fromEnvironment: () => {
    const path = process.env['REKEYD_PROMTOOL'];
    return path === undefined ? null : { path };
  },
  provisioned: 'prometheus-debian',
  fromProgram: (folder) =>
    Promise.resolve({ access: { path: join(folder, 'usr/bin/promtool') }, stop: () => Promise.resolve() }),
};
