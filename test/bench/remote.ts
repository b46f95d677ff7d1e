import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** An object whose methods are called in another process. Arguments and results are plain JSON. */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...given: infer A) => infer R ? (...given: A) => Promise<Awaited<R>> : never;
};

interface Question {
  readonly id: number;
  readonly method: string;
  readonly given: readonly unknown[];
}

type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly error: string });

export interface Started<T> {
  readonly calls: Remote<T>;
  /** Ends the process. */
  end(): Promise<void>;
}

/**
 * Starts a process that runs `file` (of this folder), which must call {@link serve}.
 * @param output where its stdout goes; its stderr is ours.
 */
export function start<T>(
  file: string,
  options: { readonly output: number; readonly execArgv: readonly string[] },
): Started<T> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [], {
    execArgv: [...options.execArgv],
    stdio: ['ignore', options.output, 'inherit', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  let id = 0;
  child.on('message', (message) => {
    const answer = message as Answer;
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) asked?.reject(new Error(`${file}: ${answer.error}`));
    else asked?.resolve(answer.result);
  });
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${file} ended (${code ?? signal ?? '?'})`));
  });
  const ask = (method: string, given: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      id += 1;
      waiting.set(id, { resolve, reject });
      child.send({ id, method, given } satisfies Question);
    });
  return {
    calls: new Proxy({} as Remote<T>, {
      get:
        (_target, method) =>
        (...given: unknown[]) =>
          ask(String(method), given),
    }),
    end: () => endOf(child, ended),
  };
}

async function endOf(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.connected) child.disconnect();
  await ended;
}

/** Answers the calls of the process that started this one, and ends when it lets go. */
export function serve(implementation: Readonly<Record<string, (...given: never[]) => unknown>>): void {
  process.on('message', (message) => {
    const { id, method, given } = message as Question;
    void answer(id, () => implementation[method]?.(...(given as never[])));
  });
  process.once('disconnect', () => process.exit(0));
}

async function answer(id: number, work: () => unknown): Promise<void> {
  try {
    process.send?.({ id, result: await work() });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}
