import { describe, expect, it } from 'vitest';
import { AddressLimiter } from '../../../src/http/address-limiter.ts';
import { MINUTE, SECOND } from '../../../src/domain/time.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { OPERATOR, problemOf, serve, sha256 } from './fake-daemon.ts';

const settings = {
  host: '127.0.0.1',
  port: 0,
  requestsPerSecond: 2,
  socket: null,
  tokens: [{ name: 'ci', role: 'operator' as const, sha256: sha256(OPERATOR) }],
};

describe('S4: a flood from one address', () => {
  it('S4: is refused before any token is looked at; health goes on; after the time that it was told, it may again', async () => {
    await using http = await serve({ settings });
    for (let each = 0; each < 20; each += 1) expect((await http.ask('/v1/status', {}, 'guess')).status).toBe(401);
    const refused = await http.ask('/v1/scan', { method: 'POST' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect((await problemOf(refused))['type']).toBe('urn:rekeyd:problem:rate-limited');
    for (const path of ['/metrics', '/nowhere']) expect((await http.ask(path, {}, null)).status).toBe(429);
    for (const path of ['/livez', '/healthz', '/readyz']) expect((await http.ask(path, {}, null)).status).toBe(200);
    expect(http.calls.filter(([method]) => method === 'scan')).toEqual([]);
    expect(http.lines.filter((line) => line.includes('"audit"') && line.includes('429'))).toEqual([]);
    await http.clock.advance(SECOND);
    expect((await http.ask('/v1/scan', { method: 'POST' })).status).toBe(202);
  });
});

describe('http.trustProxy', () => {
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
  /** The addresses of what the audit told. */
  const told = (lines: readonly string[]): unknown[] =>
    lines.filter((line) => line.includes('"audit"')).map((line) => (JSON.parse(line) as { from: unknown }).from);

  it('off: what a request says of where it comes from changes nothing', async () => {
    await using http = await serve({ settings });
    const asked = async (address: string) => (await http.ask('/v1/scan', { method: 'POST', ...from(address) })).status;
    for (let each = 0; each < 20; each += 1) expect(await asked(`192.0.2.${each}`)).toBe(202);
    expect(await asked('192.0.2.99')).toBe(429);
    expect(new Set(told(http.lines))).toEqual(new Set(['127.0.0.1']));
  });

  it('on: each address behind the proxy has a limit of its own, and is told; what is no address is not taken', async () => {
    await using http = await serve({ settings: { ...settings, trustProxy: ['127.0.0.0/8'] } });
    const asked = async (address: string) => (await http.ask('/v1/scan', { method: 'POST', ...from(address) })).status;
    for (let each = 0; each < 20; each += 1) expect(await asked('192.0.2.1')).toBe(202);
    expect(await asked('192.0.2.1')).toBe(429);
    // the last one that the proxy did not vouch for itself
    expect(await asked('10.9.9.9, 192.0.2.2')).toBe(202);
    expect(await asked('"><script>')).toBe(202);
    expect(told(http.lines).slice(-2)).toEqual(['192.0.2.2', '127.0.0.1']);
  });
});

describe('http.health', () => {
  it('is a port on which health and metrics answer, and nothing else', async () => {
    await using http = await serve({ settings: { ...settings, health: { host: '127.0.0.1', port: 0 } } });
    const status = async (path: string): Promise<number> =>
      (await fetch(`${http.address.health ?? ''}${path}`, { headers: { authorization: `Bearer ${OPERATOR}` } })).status;
    for (const path of ['/livez', '/healthz', '/readyz', '/metrics']) expect(await status(path), path).toBe(200);
    for (const path of ['/v1/status', '/openapi.json', '/v1/credentials']) expect(await status(path), path).toBe(404);
    expect((await http.ask('/livez', {}, null)).status).toBe(200);
  });
});

describe('an AddressLimiter', () => {
  it('holds its rate over time, after a burst of ten seconds', async () => {
    const { clock } = createManualPorts(0);
    const limiter = new AddressLimiter(5, clock);
    let passed = 0;
    for (let tenths = 0; tenths < 600; tenths += 1) {
      for (let each = 0; each < 10; each += 1) if (limiter.take('192.0.2.1') === 0) passed += 1;
      await clock.advance(SECOND / 10);
    }
    expect(passed).toBeGreaterThanOrEqual(5 * (MINUTE / SECOND) + 45);
    expect(passed).toBeLessThanOrEqual(5 * (MINUTE / SECOND) + 51);
  });

  it('counts addresses apart, but not those of one network of IPv6, nor an address of IPv4 in two forms', () => {
    const limiter = new AddressLimiter(0.1, createManualPorts(0).clock);
    const passes = (address: string): boolean => limiter.take(address) === 0;
    expect([passes('192.0.2.1'), passes('192.0.2.2'), passes('::ffff:192.0.2.1')]).toEqual([true, true, false]);
    expect([passes('2001:db8:0:1::1'), passes('2001:db8:0:1:a:b:c:d')]).toEqual([true, false]);
    expect([passes('2001:db8:0:2::1'), passes('2001:db8::9'), passes('2001:db8::a:0:0:9')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('remembers a bounded number of addresses', () => {
    const limiter = new AddressLimiter(0.1, createManualPorts(0).clock);
    for (let each = 0; each < 30_000; each += 1) limiter.take(`10.${each >> 16}.${(each >> 8) & 255}.${each & 255}`);
    expect(limiter.size).toBeLessThanOrEqual(10_000);
    expect(limiter.take('10.0.117.47')).toBeGreaterThan(0);
  });
});
