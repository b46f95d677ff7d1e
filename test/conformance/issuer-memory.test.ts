import { createManualPorts } from '../fakes/manual-ports.ts';
import { MemoryIssuer } from '../fakes/memory-issuer.ts';
import { issuerSuite } from './issuer-suite.ts';

const OUTCOMES = { lost: 'applied-and-lost', forbidden: 403, throttled: 429 } as const;

issuerSuite('the memory issuer', () => {
  const ports = createManualPorts();
  const issuer = new MemoryIssuer(ports);
  let credentials = 0;
  return Promise.resolve({
    issuer,
    now: () => ports.clock.now(),
    wait: (duration) => ports.clock.advance(duration),
    run: (call) => ports.clock.until(call),
    addCredential: (description) => {
      const clientId = `client-${++credentials}`;
      issuer.addCredential(clientId, description);
      return Promise.resolve(clientId);
    },
    removeCredential: (clientId) => {
      issuer.removeCredential(clientId);
      return Promise.resolve();
    },
    fail: (operation, fault) =>
      issuer.fault(operation, OUTCOMES[fault], fault === 'throttled' ? { retryAfter: 2_000 } : {}),
    close: () => issuer.close(),
  });
});
