import { globalAgent } from 'node:https';
import type { Agent, AgentOptions } from 'node:https';

/**
 * The option `proxyEnv` of an agent of one's own: where NODE_USE_ENV_PROXY=1 has Node go by HTTPS_PROXY, HTTP_PROXY and NO_PROXY,
 * those variables, else undefined. Node sees to it for `fetch` and for its own agents alone.
 */
export function environmentProxy(): AgentOptions['proxyEnv'] {
  // as Node has read it; its types leave out an agent's options
  return (globalAgent as Agent & { readonly options: AgentOptions }).options.proxyEnv;
}
