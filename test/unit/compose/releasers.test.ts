import { describe, expect, it } from 'vitest';
import { Releasers } from '../../../src/compose/releasers.ts';
import { silentLog } from '../../../src/telemetry/log.ts';

describe('Releasers', () => {
  it('closes what was opened last first, once, and goes on past one that fails', async () => {
    const told: unknown[] = [];
    const closed: string[] = [];
    const releasers = new Releasers({ ...silentLog, warn: (...args) => told.push(args) });
    releasers.push('ledger', async () => void closed.push('ledger'));
    releasers.push('vault', () => Promise.reject(new Error('canary-value')));
    releasers.push('http', async () => void closed.push('http'));
    await releasers.close();
    await releasers.close();
    expect(closed).toEqual(['http', 'ledger']);
    expect(told).toEqual([['close-failed', expect.any(String), { what: 'vault', error: 'unexpected Error' }]]);
  });
});
