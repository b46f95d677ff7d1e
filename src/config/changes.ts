import { SecretValue } from '../domain/secret-value.ts';
import { Windows } from '../domain/windows.ts';
import type { HttpSettings, Settings } from './settings.ts';

/** Where each part of {@link Settings} stands in the configuration. */
const KEYS: Readonly<Record<Exclude<keyof Settings, 'http'>, string>> = {
  instance: 'instance',
  mode: 'mode',
  schedule: 'schedule',
  timezone: 'timezone',
  resync: 'resync',
  shutdownTimeout: 'shutdownTimeout',
  ledger: 'ledger',
  metrics: 'metrics',
  webhooks: 'webhooks',
  limits: 'limits',
  issuers: 'issuers',
  vaults: 'vaults',
  // with the policies that they name
  rules: 'credentials',
};

const HTTP_KEYS = [
  'host',
  'port',
  'health',
  'socket',
  'trustProxy',
  'requestsPerSecond',
  'tokens',
  'oidc',
] as const satisfies (keyof HttpSettings)[];

/** What a process cannot change while it runs: who it is, what it remembers in, where it listens. */
export const NEEDS_RESTART: ReadonlySet<string> = new Set([
  'instance',
  'ledger',
  'http.host',
  'http.port',
  'http.health',
  'http.socket',
  'http.trustProxy',
]);

/** The keys of the configuration under which two settings differ, as a person writes them; those of `http` one by one. */
export function changedKeys(before: Settings, after: Settings): string[] {
  const names = Object.keys(KEYS) as (keyof typeof KEYS)[];
  return [
    ...names.filter((name) => !isSame(before[name], after[name])).map((name) => KEYS[name]),
    ...HTTP_KEYS.filter((key) => !isSame(before.http[key], after.http[key])).map((key) => `http.${key}`),
  ];
}

/** Whether two parts of settings say the same. Secrets are compared, and nothing of them gets out. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (one instanceof SecretValue || other instanceof SecretValue) {
    return one instanceof SecretValue && other instanceof SecretValue && one.equals(other);
  }
  if (one instanceof Windows || other instanceof Windows) {
    // their calendars are functions, which differ each time
    return one instanceof Windows && other instanceof Windows && isSame(one.written, other.written);
  }
  if (one instanceof Map || other instanceof Map) {
    return one instanceof Map && other instanceof Map && isSame([...one], [...other]);
  }
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((each, index) => isSame(each, other[index]));
  }
  if (!isPlain(one) || !isPlain(other)) return false;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => isSame(one[key], other[key]));
}

/** Anything else, such as a function, is the same only where it is the same object. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
