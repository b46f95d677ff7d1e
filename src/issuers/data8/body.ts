/** Takes a text in parts. */
export interface TextSink {
  write(text: string): void;
}

/**
 * Reads a body as UTF-8 text, each part decoded as it comes.
 * @param sink is given the parts, and nothing of them is kept; then the text that is returned is empty.
 * @returns null where it is longer than `limit` bytes; the rest of it is not read.
 * @throws what the stream throws.
 */
export async function readBody(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
  sink?: TextSink,
): Promise<string | null> {
  if (body === null) return '';
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const keep = (part: string): void => {
    if (sink === undefined) text += part;
    else sink.write(part);
  };
  let size = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    size += chunk.value.byteLength;
    if (size > limit) {
      await reader.cancel();
      return null;
    }
    keep(decoder.decode(chunk.value, { stream: true }));
  }
  keep(decoder.decode());
  return text;
}
