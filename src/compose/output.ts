/** What commands print to stdout, and whether it got there. */
export class Output {
  readonly #stream: NodeJS.WriteStream;
  #isWhole = true;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Prints a text as it is. It does not throw. */
  print(text: string): void {
    this.#stream.write(text, (error) => {
      if (error) this.#isWhole = false;
    });
  }

  /** Waits for all that was printed. @returns false where some of it could not be written; it does not throw. */
  async written(): Promise<boolean> {
    await drained(this.#stream);
    return this.#isWhole;
  }
}

/** Waits until what was written to a stream is written, or has failed. It does not throw. */
export function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
