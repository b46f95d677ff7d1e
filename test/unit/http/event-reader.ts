import { expect } from 'vitest';
import { VIEWER } from './fake-daemon.ts';
import type { Running } from './fake-daemon.ts';

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Reads on until the text has `end`, or the stream is over. `between` is called after each piece. */
export async function readUntil(reader: Reader, end: string, between?: () => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  while (!text.includes(end)) {
    const { done, value } = await reader.read();
    if (done) return `${text}(over)`;
    text += decoder.decode(value, { stream: true });
    between?.();
  }
  return text;
}

/** Opens the stream and reads as far as its first line. */
export async function open(http: Running, lastEventId?: string): Promise<{ reader: Reader; start: string }> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await http.ask('/v1/events', { headers }, VIEWER);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  const reader = response.body!.getReader();
  return { reader, start: await readUntil(reader, 'retry: 5000\n\n') };
}
