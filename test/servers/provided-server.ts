import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { getContainerRuntimeClient } from 'testcontainers';

/** A server that runs, and how to reach it: `access` is what its own file says (a URL, a token, ...). */
export interface RunningServer<Access> {
  readonly access: Access;
  /** Ends it, and leaves no process behind. One that was given by the environment is left alone. */
  stop(): Promise<void>;
}

/** The ways in which a real server can be had, tried in this order. */
export interface ServerRecipe<Access> {
  /** As a person calls it: `OpenBao`. */
  readonly name: string;
  /** The variables that {@link fromEnvironment} reads, for the reason of a skip. */
  readonly variables: readonly string[];
  /** One that runs already, told by the environment; null: none is told. */
  fromEnvironment(): Access | null;
  /** The folder that `test/servers/provision` makes, below {@link provisionedFolder}. */
  readonly provisioned: string;
  /** Starts it from that folder. */
  fromProgram(folder: string): Promise<RunningServer<Access>>;
  /** Starts it by testcontainers; absent: there is no image of it. */
  fromContainer?(): Promise<RunningServer<Access>>;
}

export type ProvidedServer<Access> =
  | { readonly how: 'environment' | 'program' | 'container'; readonly server: RunningServer<Access> }
  | { readonly how: 'none'; readonly reason: string };

/** Where `test/servers/provision` puts programs: `REKEYD_SERVERS`, else a folder in the user's cache, so outside the checkout. */
export function provisionedFolder(name: string): string {
  return join(process.env['REKEYD_SERVERS'] ?? join(homedir(), '.cache', 'rekeyd-servers'), name);
}

/**
 * A real server: one told by the environment, else the provisioned program, else a container where Docker answers, else
 * the reason why there is none. `REKEYD_SERVERS_FROM` (`environment`, `program`, `container`) allows one way alone.
 * @throws Error where there is none and `REKEYD_SERVERS_REQUIRED` is set (`.ci/run`), or where a way that should work fails.
 */
export async function provideServer<Access>(recipe: ServerRecipe<Access>): Promise<ProvidedServer<Access>> {
  const told = allows('environment') ? recipe.fromEnvironment() : null;
  if (told !== null) return { how: 'environment', server: { access: told, stop: () => Promise.resolve() } };
  const folder = provisionedFolder(recipe.provisioned);
  if (allows('program') && existsSync(folder)) return { how: 'program', server: await recipe.fromProgram(folder) };
  if (allows('container') && recipe.fromContainer !== undefined && (await dockerAnswers())) {
    return { how: 'container', server: await recipe.fromContainer() };
  }
  const reason = [
    `${recipe.name} is not here: ${recipe.variables.join(', ')} not set`,
    `no ${folder} (made by test/servers/provision)`,
    recipe.fromContainer === undefined ? 'there is no image of it' : 'Docker does not answer',
  ].join('; ');
  if (process.env['REKEYD_SERVERS_REQUIRED'] !== undefined) throw new Error(reason);
  return { how: 'none', reason };
}

function allows(way: 'environment' | 'program' | 'container'): boolean {
  const only = process.env['REKEYD_SERVERS_FROM'];
  return only === undefined || only === way;
}

async function dockerAnswers(): Promise<boolean> {
  try {
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false; // which is the answer: the caller prints it as its reason
  }
}
