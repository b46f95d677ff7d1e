import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { dirname, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { z } from 'zod';
import { urlProblem } from '../../config/fields.ts';
import { safeMessage } from '../../domain/errors.ts';
import type { ConfigError } from '../../domain/errors.ts';
import { optionError } from '../private-files.ts';

/** How a cluster is found. */
export interface ClusterOptions {
  /** A file; null: the service account of the pod. */
  readonly kubeconfig: string | null;
  /** A context of the file; null: its current one. */
  readonly context: string | null;
}

/** One reading of the files that say who rekeyd is; what is in them (tokens, certificates) is renewed by others. */
export interface Credentials {
  /** The API server's URL, without a slash at its end. */
  readonly server: string;
  /** For a request: agent with CA and client certificate, and `Authorization`. @throws Error of any kind. */
  authorize(): Promise<{ readonly options: RequestOptions; readonly headers: Readonly<Record<string, string>> }>;
}

/** Where a pod finds its service account, for {@link readCredentials}. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Reads the kubeconfig, or the pod's service account.
 * @param root stands before the service account's folder: tests have a pod of their own.
 * @throws ConfigError that names the vault's option and what to do.
 */
export async function readCredentials(options: ClusterOptions, vault: string, root = ''): Promise<Credentials> {
  const sdk = await import('@kubernetes/client-node');
  const fail = (message: string): ConfigError => optionError({ vault, option: 'kubeconfig' }, message);
  const kubeConfig = new sdk.KubeConfig();
  try {
    if (options.kubeconfig === null) loadServiceAccount(kubeConfig, root);
    else await loadFile(kubeConfig, options.kubeconfig);
  } catch (error) {
    if (error instanceof Unusable) throw fail(error.message);
    // The message of a parser may quote the file, which holds credentials.
    throw fail(`cannot read '${options.kubeconfig ?? SERVICE_ACCOUNT}' as a kubeconfig: ${safeMessage(error)}`);
  }
  if (options.context !== null) kubeConfig.setCurrentContext(options.context);
  const cluster = kubeConfig.getCurrentCluster();
  const named = kubeConfig.getContexts().map((each) => `'${each.name}'`);
  if (cluster === null) {
    throw fail(
      `has no context '${kubeConfig.getCurrentContext()}' with a cluster; there is ${named.join(', ') || 'none'}`,
    );
  }
  const problem = urlProblem(cluster.server);
  if (problem !== null) throw fail(`the server of cluster '${cluster.name}' ${problem}`);
  if (cluster.skipTLSVerify && cluster.server.startsWith('https:')) {
    throw fail(
      `insecure-skip-tls-verify would show secrets to anybody in between: name the certificate-authority instead`,
    );
  }
  return { server: cluster.server, authorize: () => authorize(kubeConfig) };
}

class Unusable extends Error {}

function loadServiceAccount(kubeConfig: KubeConfig, root: string): void {
  if ((process.env['KUBERNETES_SERVICE_HOST'] ?? '') === '') {
    throw new Unusable('rekeyd does not run in a cluster (KUBERNETES_SERVICE_HOST is not set): give a kubeconfig');
  }
  kubeConfig.loadFromCluster(root);
}

/** `tokenFile` of a user, which the client library does not know: without it, requests would go out anonymous. */
const usersSchema = z.object({
  users: z
    .array(z.object({ name: z.string(), user: z.object({ tokenFile: z.string().optional() }).nullish() }))
    .nullish(),
});

async function loadFile(kubeConfig: KubeConfig, file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  kubeConfig.loadFromString(text);
  kubeConfig.makePathsAbsolute(dirname(file));
  const written = usersSchema.parse(parse(text)).users ?? [];
  const withFiles = kubeConfig.getUsers().map((user) => {
    const tokenFile = written.find(({ name }) => name === user.name)?.user?.tokenFile;
    if (tokenFile === undefined) return user;
    return { ...user, authProvider: { name: 'tokenFile', config: { tokenFile: resolve(dirname(file), tokenFile) } } };
  });
  // The library's own `http:` is only for clusters that say so; that the host is this machine is checked by the caller.
  const clusters = kubeConfig
    .getClusters()
    .map((cluster) => (cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster));
  kubeConfig.loadFromOptions({
    clusters,
    users: withFiles,
    contexts: kubeConfig.getContexts(),
    currentContext: kubeConfig.getCurrentContext(),
  });
}

async function authorize(kubeConfig: KubeConfig): ReturnType<Credentials['authorize']> {
  const options: RequestOptions & { headers: Record<string, string> } = { headers: {} };
  await kubeConfig.applyToHTTPSOptions(options);
  // A token file may end in a newline, a header must not.
  const headers = Object.entries(options.headers).map(([name, value]): [string, string] => [name, value.trim()]);
  return { options, headers: Object.fromEntries(headers) };
}
