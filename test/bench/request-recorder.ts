import { subscribe } from 'node:diagnostics_channel';

/** Requests that this process sent, as `METHOD /path`, by any of Node's clients (`node:http` and `fetch`). */
export class RequestRecorder {
  readonly #sent: string[] = [];

  constructor() {
    subscribe('http.client.request.start', (message) => {
      const { request } = message as { request: { method: string; path: string } };
      this.#sent.push(`${request.method} ${request.path}`);
    });
    subscribe('undici:request:create', (message) => {
      const { request } = message as { request: { method: string; path: string } };
      this.#sent.push(`${request.method} ${request.path}`);
    });
  }

  /** Since this was asked last. */
  take(): string[] {
    return this.#sent.splice(0);
  }
}
