import dns from 'node:dns';

/**
 * Loaded into the daemon before all else (`--import`): the host REKEYD_TEST_HOST is this machine, as a line in /etc/hosts
 * would have it. So a fake may have the name of a real service, and every check of names and certificates holds.
 */
const host = process.env['REKEYD_TEST_HOST'];
const lookup = dns.lookup.bind(dns) as (name: string, ...rest: unknown[]) => void;
Object.assign(dns, {
  lookup: (name: string, ...rest: unknown[]) => lookup(name === host ? '127.0.0.1' : name, ...rest),
});
