import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { parse, sources, walk } from './source.ts';
import type { SourceFile } from './source.ts';

/** The only files that may take a value out of its {@link SecretValue}, each with the reason and how often it does. */
const PLACES: Readonly<Record<string, { readonly times: number; readonly why: string }>> = {
  'domain/payload.ts': { times: 1, why: 'puts the value into the payload that is delivered, itself a SecretValue' },
  'domain/payload-reading.ts': {
    times: 2,
    why: 'takes the value out of a payload that was read back, into a SecretValue',
  },
  'issuers/data8/api.ts': { times: 1, why: 'sends the access token in the Authorization header' },
  'issuers/data8/token-endpoint.ts': {
    times: 2,
    why: 'sends the client secret to the token endpoint, as form or as header',
  },
  'issuers/data8/problem.ts': {
    times: 1,
    why: 'knows all spellings of a value, so as to take them out of an error text',
  },
  'webhooks/post.ts': { times: 1, why: "sends to a webhook's URL, which may be a secret itself" },
  'webhooks/signature.ts': { times: 1, why: 'signs what is sent to a webhook' },
  'vaults/aws-secrets-manager/api.ts': {
    times: 2,
    why: 'sends the value to Secrets Manager, in a new secret or a version',
  },
  'vaults/azure-key-vault/expiry.ts': { times: 1, why: 'reads the expiry in a payload, for an attribute of its own' },
  'vaults/azure-key-vault/identity.ts': { times: 1, why: "hands the identity's own secret to the identity library" },
  'vaults/azure-key-vault/secrets.ts': { times: 1, why: 'sends the value to Key Vault' },
  'vaults/directory.ts': { times: 1, why: 'writes the plain file that consumers read' },
  'vaults/file-key.ts': { times: 1, why: 'encrypts the value' },
  'vaults/fingerprint.ts': { times: 1, why: 'keys the fingerprint that binds a mark to its value' },
  'vaults/kubernetes/stored-payload.ts': { times: 1, why: 'lays the value in the keys of a Secret' },
  'vaults/hashicorp-vault/exchange.ts': { times: 1, why: "sends the vault's own token in its header" },
  'vaults/hashicorp-vault/tokens.ts': { times: 1, why: 'sends a secret id or a JWT to the login' },
  'vaults/hashicorp-vault/value.ts': { times: 2, why: 'lays the value in the keys of an entry' },
  'vaults/gcp-secret-manager/payload-bytes.ts': { times: 1, why: 'makes the bytes of a version of it' },
  'oidc/fetch-text.ts': { times: 1, why: "sends rekeyd's own token to a host of keys that wants one" },
  'cli/daemon-client.ts': { times: 1, why: "sends the operator's own HTTP token" },
  'cli/data8-secrets.ts': { times: 1, why: '`rekeyd data8 secrets create` prints the value once, by contract' },
  'cli/read.ts': { times: 2, why: '`rekeyd read` prints a payload, by contract; the other mention is its own option' },
};

/** Every mention of `reveal` that is code: a call, but also the method passed on as a function, or taken by its name. */
function reveals({ syntax }: SourceFile): number {
  let count = 0;
  walk(syntax, (node) => {
    if (ts.isPropertyAccessExpression(node) && node.name.text === 'reveal') count += 1;
    if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
      if (node.argumentExpression.text === 'reveal') count += 1;
    }
    if (ts.isBindingElement(node) && (node.propertyName ?? node.name).getText() === 'reveal') count += 1;
  });
  return count;
}

describe('a secret value', () => {
  it('is unwrapped only in these few places', () => {
    const found = sources.map((file) => [file.path, reveals(file)] as const).filter(([, times]) => times > 0);
    const allowed = Object.entries(PLACES).map(([path, { times }]) => [path, times]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(allowed));
  });

  it('is never unwrapped by the core, the daemon, the log or HTTP', () => {
    const outside = /^(rotation|daemon|ledger|telemetry|http|config|compose)\//;
    expect(Object.keys(PLACES).filter((path) => outside.test(path))).toEqual([]);
  });

  it('would be found by this test in each way of unwrapping it', () => {
    const ways = ['x.reveal()', 'x?.reveal()', 'list.map(x.reveal)', "x['reveal']()", 'const { reveal } = x'];
    for (const way of ways) expect(reveals(parse('domain/a.ts', way)), way).toBe(1);
    expect(reveals(parse('domain/a.ts', '// x.reveal()'))).toBe(0);
  });
});
