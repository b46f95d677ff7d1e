import { createInterface } from 'node:readline/promises';

/** Asks on a terminal. Where it is closed before a line was typed, the answer is empty. */
export function askOn(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): (question: string) => Promise<string> {
  return async (question) => {
    const lines = createInterface({ input, output });
    const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    // Ctrl-C is no answer
    lines.once('SIGINT', () => lines.close());
    try {
      return await Promise.race([lines.question(question), closed]);
    } finally {
      lines.close();
    }
  };
}
