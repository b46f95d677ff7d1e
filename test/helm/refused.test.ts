import { describe, expect, it } from 'vitest';
import { CHART, findHelm, runHelm } from './helm-command.ts';
import { templateChanged } from './rendered.ts';

const helm = findHelm();

describe.skipIf(helm.how === 'none')(helm.how === 'none' ? helm.reason : 'bad values are refused', () => {
  it('none at all: it says what must be given', async () => {
    const { code, err } = await runHelm(helm, ['template', 'rekeyd', CHART]);
    expect(code).not.toBe(0);
    expect(err).toContain("at '/config': missing properties 'instance', 'issuers'");
  });

  it.each<[string, object, string]>([
    ['a key that is misspelt', { replica: 1 }, "additional properties 'replica' not allowed"],
    ['two replicas', { replicas: 2 }, "at '/replicas': maximum: got 2, want 1"],
    [
      'a secret in the ConfigMap',
      { config: { issuers: { data8: { clientSecret: 'in the clear' } } } },
      'config.issuers.data8.clientSecret: a ConfigMap is no place for a secret',
    ],
    [
      'a token in the ConfigMap',
      { config: { http: { tokens: [{ token: 'in the clear' }] } } },
      'config.http.tokens[0].token: a ConfigMap is no place for a secret',
    ],
    [
      "a webhook's secret in the ConfigMap",
      { config: { webhooks: [{ secret: 'in the clear' }] } },
      'config.webhooks[0].secret: a ConfigMap',
    ],
    [
      "a vault's token in the ConfigMap",
      { config: { vaults: { bao: { auth: { token: 'in the clear' } } } } },
      'config.vaults.bao.auth.token: a ConfigMap',
    ],
    ['a shutdownTimeout that is no duration', { config: { shutdownTimeout: '30' } }, "at '/config/shutdownTimeout'"],
    [
      'a port that only root may have',
      { config: { http: { port: 80 } } },
      "at '/config/http/port': minimum: got 80, want 1,024",
    ],
    ['a grant of nothing', { rbac: { namespaces: { apps: { secrets: [] } } } }, "at '/rbac/namespaces/apps/secrets'"],
    [
      'a verb of its own',
      { rbac: { namespaces: { apps: { secrets: '*', delete: true } } } },
      "additional properties 'delete' not allowed",
    ],
    [
      'a Secret without its key',
      { secretFiles: { other: { secret: 'x' } } },
      "at '/secretFiles/other': missing property 'key'",
    ],
    ['a file outside of the folder', { secretFiles: { '../data8': { secret: 'x', key: 'y' } } }, "'../data8'"],
    ['a tag in place of a digest', { image: { digest: 'latest' } }, "at '/image/digest'"],
    [
      'a rolling update that waits for its own volume',
      { strategy: 'RollingUpdate' },
      'needs persistence.enabled: false',
    ],
    [
      'a listener that probes do not reach',
      { config: { http: { host: '127.0.0.1' } } },
      'is reached by nothing outside of the pod',
    ],
    [
      'a port for health that probes do not reach',
      { config: { http: { health: { host: 'localhost', port: 8082 } } } },
      'config.http.health.host: localhost is reached by nothing outside of the pod',
    ],
    [
      'one port for two',
      { config: { http: { health: { port: 8080 } } } },
      'config.http.health.port: 8080 is the port of the HTTP interface',
    ],
    ['a port for health without its number', { config: { http: { health: {} } } }, "at '/config/http/health'"],
    [
      'a switch of monitoring that is misspelt',
      { monitoring: { rule: { enabled: true } } },
      "additional properties 'rule' not allowed",
    ],
    ['no service account', { serviceAccount: { create: false } }, 'serviceAccount.name: name the one that exists'],
  ])('%s', async (_, changes, message) => {
    await expect(templateChanged(helm, 'kubernetes', changes)).rejects.toThrow(message);
  });

  it('a value that stands where a reference belongs is not printed', async () => {
    const changes = { config: { issuers: { data8: { clientSecret: 'canary-in-the-clear' } } } };
    const error: unknown = await templateChanged(helm, 'kubernetes', changes).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('clientSecret');
    expect(String(error)).not.toContain('canary');
  });
});
