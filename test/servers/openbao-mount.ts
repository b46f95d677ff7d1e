import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { KvHands } from '../conformance/kv-hands.ts';
import type { KvPlace } from '../conformance/kv-hands.ts';

/** A mount of its own, and a policy that grants what `config/policies/hashicorp-vault.hcl` does, and nothing more. */
export interface OpenBaoMount {
  readonly hands: KvHands;
  /** The mount's name, and the policy's. */
  readonly name: string;
  /** Puts another text in the policy's place; null: the least rights again. */
  grant(policy: string | null): Promise<void>;
  /** A token with that policy alone. */
  token(more?: object): Promise<string>;
  remove(): Promise<void>;
}

const policyFile = new URL('../../config/policies/hashicorp-vault.hcl', import.meta.url);

/** @param server where, and a token that may do anything there. */
export async function openMount(server: Omit<KvPlace, 'mount'>): Promise<OpenBaoMount> {
  const name = `suite-${randomBytes(4).toString('hex')}`;
  const hands = new KvHands({ ...server, mount: name });
  const least = readFileSync(policyFile, 'utf8').replaceAll(/secret\/(data|metadata)\/data8\//g, `${name}/$1/`);
  const grant = async (policy: string | null): Promise<void> => {
    await hands.must('PUT', `sys/policies/acl/${name}`, { policy: policy ?? least });
  };
  await hands.mountEngine();
  await grant(null);
  return {
    hands,
    name,
    grant,
    token: async (more = {}) => {
      const role = { policies: [name], no_default_policy: true, ttl: '1h', ...more };
      const { body } = await hands.must('POST', 'auth/token/create', role);
      return (body['auth'] as { client_token: string }).client_token;
    },
    remove: async () => {
      await hands.must('DELETE', `sys/mounts/${name}`);
      await hands.must('DELETE', `sys/policies/acl/${name}`);
    },
  };
}
