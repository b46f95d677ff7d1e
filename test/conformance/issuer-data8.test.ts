import { setTimeout as sleep } from 'node:timers/promises';
import { realPorts } from '../../src/compose/ports.ts';
import { createEmulator } from '../../src/emulator/emulator.ts';
import { createData8 } from '../../src/issuers/data8.ts';
import { data8Schema } from '../../src/issuers/data8/options.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { silentMeter } from '../../src/telemetry/meter.ts';
import { issuerSuite } from './issuer-suite.ts';
import type { BenchFault } from './issuer-suite.ts';

const RULES = {
  lost: { kind: 'lost-answer' },
  forbidden: { kind: 'forbidden' },
  throttled: { kind: 'throttle', retryAfter: '2' },
} as const satisfies Record<BenchFault, object>;

for (const tokenEndpointAuthMethod of ['client_secret_post', 'client_secret_basic']) {
  issuerSuite(`Data8, with ${tokenEndpointAuthMethod}, against the emulator`, async () => {
    const emulator = await createEmulator();
    const options = data8Schema.parse({
      baseUrl: emulator.url,
      // the one method with the endpoint itself, the other by discovery
      tokenUrl: tokenEndpointAuthMethod === 'client_secret_post' ? emulator.tokenUrl : emulator.url,
      tokenEndpointAuthMethod,
      ...emulator.bootstrap,
      requestsPerSecond: 1000,
    });
    const issuer = createData8(options, { ...realPorts, name: 'data8', log: silentLog, meter: silentMeter });
    return {
      issuer,
      now: () => realPorts.clock.now(),
      wait: (duration) => sleep(duration),
      run: (call) => call,
      addCredential: (description) => Promise.resolve(emulator.account.createCredential(description).clientId),
      removeCredential: (clientId) => {
        emulator.account.deleteCredential(clientId);
        return Promise.resolve();
      },
      fail: (operation, fault) =>
        emulator.faults.set({ rules: [{ ...RULES[fault], operations: [operation], count: 1 }] }),
      close: async () => {
        await issuer.close();
        await emulator.close();
      },
    };
  });
}
