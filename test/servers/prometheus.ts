import { join } from 'node:path';
import type { ServerRecipe } from './provided-server.ts';

/** Where the program prometheus is; what it is to scrape, the test says that starts it. It comes with promtool. */
export const prometheus: ServerRecipe<{ readonly path: string }> = {
  name: 'Prometheus',
  variables: ['REKEYD_PROMETHEUS'],
  fromEnvironment: () => {
    const path = process.env['REKEYD_PROMETHEUS'];
    return path === undefined ? null : { path };
  },
  provisioned: 'prometheus-debian',
  fromProgram: (folder) =>
    Promise.resolve({ access: { path: join(folder, 'usr/bin/prometheus') }, stop: () => Promise.resolve() }),
};
