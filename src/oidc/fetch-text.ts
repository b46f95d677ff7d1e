import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { environmentProxy } from '../domain/environment-proxy.ts';
import type { SecretValue } from '../domain/secret-value.ts';
import { KeysUnavailable } from './keys-unavailable.ts';

/** Far above any key set or discovery document. */
const MOST_BYTES = 256 * 1_024;

/**
 * Gets a text by Node's own client, which follows no redirect and takes a private CA for this call alone.
 * @param options `ca`: PEM; null: those that Node trusts. `token`: sent as bearer; null: none.
 * @throws KeysUnavailable for everything but a whole answer of status 200; its message holds nothing of the answer.
 */
export function fetchText(
  url: string,
  {
    ca,
    token,
    signal,
  }: { readonly ca: string | null; readonly token: SecretValue | null; readonly signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      if (error instanceof KeysUnavailable) reject(error);
      else if (signal.aborted) reject(new KeysUnavailable(`no answer in time from ${hostOf(url)}`));
      else reject(new KeysUnavailable(`no connection to ${hostOf(url)} (${codeOf(error)})`));
    };
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'rekeyd' };
    if (token !== null) headers['authorization'] = `Bearer ${token.reveal()}`;
    const options = { headers, signal, ...(ca === null ? {} : { ca }) };
    // each its own agent: no connection is kept
    const proxy = { proxyEnv: environmentProxy() };
    const request = url.startsWith('https:')
      ? requestHttps(url, { ...options, agent: new HttpsAgent(proxy) })
      : requestHttp(url, { ...options, agent: new HttpAgent(proxy) });
    request.on('error', fail);
    request.on('response', (response) => void read(response, url).then(resolve, fail));
    request.end();
  });
}

async function read(response: IncomingMessage, url: string): Promise<string> {
  if (response.statusCode !== 200) {
    response.destroy();
    throw new KeysUnavailable(`${hostOf(url)} answered with status ${response.statusCode ?? 0}`);
  }
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.byteLength;
    if (size > MOST_BYTES) throw new KeysUnavailable(`the answer of ${hostOf(url)} is too long`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function hostOf(url: string): string {
  return new URL(url).host;
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : 'unknown';
}
