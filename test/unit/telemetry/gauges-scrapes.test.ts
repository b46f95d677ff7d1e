import { describe, expect, it } from 'vitest';
import { PER_CREDENTIAL_LIMIT } from '../../../src/daemon/gauges.ts';
import { LedgerError } from '../../../src/domain/errors.ts';
import type { LogFields } from '../../../src/telemetry/log.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { only, QUIET, setUp } from './gauges-page.ts';
import { credentialRecord, NOW } from './records.ts';

describe('many credentials', () => {
  const many = Array.from({ length: PER_CREDENTIAL_LIMIT + 1 }, (_, index) =>
    credentialRecord({ clientId: `c${index}`, resyncAt: NOW - 1_000 }),
  );

  it('have no series one by one above the limit, unless they are asked for', async () => {
    const { page, ports } = setUp(many);
    const text = await ports.clock.until(page.render());
    expect(text).not.toContain('credential="c');
    expect(text).toMatch(/rekeyd_resync_lag_seconds\{issuer="data8"\} 1\n/);
    const forced = setUp(many, { perCredential: true });
    expect(await forced.ports.clock.until(forced.page.render())).toContain('credential="c10000"');
  });

  it('have series up to the limit, unless they are switched off', async () => {
    const { page, ports } = setUp(many.slice(1));
    expect(await ports.clock.until(page.render())).toContain('credential="c10000"');
    expect(await only('rekeyd_secret_renew', many.slice(0, 2), { perCredential: false })).toEqual([]);
  });

  it('of an issuer that the configuration does not name any more do not count towards the limit', async () => {
    const { page, ports } = setUp([...many.slice(1), credentialRecord({ issuer: 'old' })]);
    expect(await ports.clock.until(page.render())).toContain('credential="c10000"');
  });

  it('are not looked at again right away when the look took long', async () => {
    const { clock } = createManualPorts(NOW);
    let looks = 0;
    const ledger = {
      countsByState: () => Promise.resolve([]),
      credentials: async () => {
        looks++;
        await clock.sleep(1_000);
        return { items: [], nextCursor: null };
      },
    };
    const { page } = setUp([], { ledger, clock, ticker: clock });
    await clock.until(page.render());
    await clock.advance(9_999);
    await clock.until(page.render());
    expect(looks).toBe(1);
    await clock.advance(1);
    await clock.until(page.render());
    expect(looks).toBe(2);
  });
});

describe('scrapes', () => {
  it('at the same time share one look', async () => {
    const { page, pages } = setUp([credentialRecord()]);
    const [first, second] = await Promise.all([page.render(), page.render()]);
    expect(first).toBe(second);
    expect(pages()).toBe(1);
  });

  it('forget what is gone', async () => {
    const records = [credentialRecord()];
    const { lines, ports } = setUp(records);
    await lines();
    records.pop();
    await ports.clock.advance(1);
    expect((await lines()).join('\n')).not.toContain('client-1');
  });

  it('still answer when the ledger does not, and say so', async () => {
    const told: [string, LogFields | undefined][] = [];
    const log = {
      ...silentLog,
      warn: (event: string, _message: string, fields?: LogFields) => told.push([event, fields]),
    };
    let broken = false;
    const { lines } = setUp([credentialRecord()], {
      log,
      status: () => (broken ? Promise.reject(new LedgerError('disk full')) : Promise.resolve(QUIET)),
    });
    expect(await lines()).toContain('rekeyd_ledger_up 1');
    broken = true;
    const text = (await lines()).join('\n');
    expect(text).toContain('rekeyd_ledger_up 0');
    expect(text).toContain('rekeyd_build_info');
    expect(text).not.toContain('rekeyd_credential');
    expect(told).toEqual([['metrics-incomplete', { error: 'disk full' }]]);
  });
});
