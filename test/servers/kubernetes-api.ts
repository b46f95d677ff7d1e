import { request } from 'node:https';
import type { KubernetesAccess } from './kubernetes.ts';

/** What the API server answered: its JSON, or text where it is none. */
export interface ApiResponse {
  readonly status: number;
  readonly body: unknown;
}

/** One request to a Kubernetes API server, past the vault, as a person or another program would make it. */
export function apiRequest(
  { url, ca, token }: Pick<KubernetesAccess, 'url' | 'ca' | 'token'>,
  method: string,
  path: string,
  body?: object,
  contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
): Promise<ApiResponse> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': contentType };
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method, ca, headers, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({
          status: response.statusCode ?? 0,
          body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text,
        });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer`)));
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** As {@link apiRequest}. @throws Error where the answer is not a success. */
export async function must<T = unknown>(...given: Parameters<typeof apiRequest>): Promise<T> {
  const { status, body } = await apiRequest(...given);
  if (status >= 200 && status < 300) return body as T;
  throw new Error(`${given[1]} ${given[2]}: ${status} ${JSON.stringify(body)}`);
}
