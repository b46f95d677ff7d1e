import { resolve } from 'node:path';
import { z } from 'zod';
import type { Backends } from '../../../src/config/backends.ts';
import { duration, httpUrl } from '../../../src/config/fields.ts';
import { loadSettings } from '../../../src/config/load.ts';
import type { Settings } from '../../../src/config/settings.ts';
import { ConfigError, formatProblem } from '../../../src/domain/errors.ts';

const inVault = { vault: z.string(), entry: z.string(), field: z.string().default('clientSecret') };

/** Types of issuer, vault and ledger that exist only here, so that these tests are about the configuration alone. */
export const fakeBackends: Backends = {
  issuers: new Map([
    [
      'data8',
      {
        schema: z.strictObject({
          baseUrl: httpUrl(),
          tokenUrl: z.string().default('https://auth.example/connect/token'),
          clientId: z.string().min(1),
          clientSecret: z.union([z.string().min(1), z.strictObject(inVault)]),
          timeout: duration(1).prefault('30s'),
          requestsPerSecond: z.number().gt(0).default(10),
        }),
      },
    ],
  ]),
  vaults: new Map([
    [
      'folder',
      {
        schema: z.strictObject({ path: z.string(), key: z.string().optional(), apiUrl: z.string().optional() }),
        paths: ['path', 'key'],
        destination: { mode: z.string().optional(), labels: z.record(z.string(), z.string()).optional() },
        maxBytes: 200,
        fieldsProblem: (names: readonly string[]) => (names.length > 4 ? `are ${names.length}; 4 are the most` : null),
        optionsProblem: ({ mode }: Readonly<Record<string, unknown>>, vault?: unknown) =>
          mode === '0777' ? `would be open to all at ${(vault as { path: string }).path}` : null,
        entryOf: (name: string) => name.toLowerCase(),
        nameProblem: (name: string) =>
          /^[A-Za-z0-9/._-]+$/.test(name) ? null : `'${name}' has characters that it lacks`,
      },
    ],
    [
      'spaces',
      {
        schema: z.object({
          picky: z
            .string()
            .refine((text) => text === 'x', { error: (issue) => `${String(issue.input)} is not x` })
            .optional(),
        }),
        paths: [],
        destination: { namespace: z.string() },
        maxBytes: 1_000_000,
        entryOf: (name: string, options: Readonly<Record<string, unknown>>) =>
          `${String(options['namespace'])}/${name}`,
        nameProblem: () => null,
      },
    ],
  ]),
  ledgers: new Map([
    ['sqlite', { schema: z.strictObject({ path: z.string().default('./var/rekeyd.db') }), paths: ['path'] }],
    ['memory', { schema: z.strictObject({}), paths: [] }],
  ]),
};

export interface World {
  readonly env?: Readonly<Record<string, string>>;
  /** Files beside the configuration, by absolute path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly backends?: Backends;
}

/** Loads configurations that stand at /etc/rekeyd/a.yaml, /etc/rekeyd/b/b.yaml, ... */
export async function load(texts: string | Uint8Array | readonly string[], world: World = {}): Promise<Settings> {
  const all = typeof texts === 'string' || texts instanceof Uint8Array ? [texts] : texts;
  const names = ['/etc/rekeyd/a.yaml', '/etc/rekeyd/b/b.yaml', '/etc/rekeyd/c/c.yaml'].slice(0, all.length);
  const files = new Map<string, string | Uint8Array>(Object.entries(world.files ?? {}));
  for (const [index, name] of names.entries()) files.set(resolve(name), all[index]!);
  return loadSettings(names, {
    env: world.env ?? {},
    backends: world.backends ?? fakeBackends,
    readFile: async (path) => {
      const content = files.get(path);
      if (content === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
      return typeof content === 'string' ? Buffer.from(content) : content;
    },
  });
}

/** The problems of a configuration as a person sees them, less the folder. Empty where it loads. */
export async function problemsOf(texts: string | Uint8Array | readonly string[], world: World = {}): Promise<string[]> {
  try {
    await load(texts, world);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => formatProblem(problem).replace('/etc/rekeyd/', ''));
  }
}

/** The smallest configuration that loads, without rules. */
export const BASE = `instance: prod
issuers:
  data8: { type: data8, baseUrl: "https://api.example", clientId: rekeyd, clientSecret: hush-hush }
vaults:
  local: { type: folder, path: ./vault }
`;

/** {@link BASE} with rules (their first line is line 7). */
export function withRules(rules: string): string {
  return `${BASE}credentials:\n${rules}`;
}
