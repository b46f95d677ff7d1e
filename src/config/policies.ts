import { z } from 'zod';
import { formatDuration } from '../domain/time.ts';
import type { Windows } from '../domain/windows.ts';
import { POLICY_DEFAULTS, policyShape } from './schema.ts';
import type { Policy } from './settings.ts';
import type { TreeReport } from './report.ts';
import type { Path } from './tree.ts';
import { isRecord, validate } from './validation.ts';
import { checkWindows, readWindows } from './windows.ts';

const policySchema = z.strictObject(policyShape);

/** A policy as written: what it does not say comes from the one that it starts from. */
export type WrittenPolicy = z.output<typeof policySchema>;

/** What `policies.default` starts from. */
export const BUILT_IN_POLICY: Policy = derivePolicy(
  {
    name: 'default',
    lifetime: 0,
    renewBefore: 0,
    grace: 0,
    maxAge: null,
    provisional: null,
    verify: { method: 'token', timeout: 0, settle: 0 },
    initial: 'adopt',
    retire: 'delete',
    unmanaged: 'keep',
    windows: null,
  },
  policySchema.parse(POLICY_DEFAULTS),
  'default',
  null,
);

/**
 * Reads the section `policies`. `default` starts from the built-in one, every other from `default`.
 * @param timezone of windows that name none.
 */
export function readPolicies(section: unknown, timezone: string, report: TreeReport): ReadonlyMap<string, Policy> {
  const sections = isRecord(section) ? section : {};
  const policies = new Map<string, Policy>();
  policies.set(
    'default',
    readPolicy(sections['default'] ?? {}, BUILT_IN_POLICY, 'default', timezone, ['policies', 'default'], report),
  );
  const base = policies.get('default') ?? BUILT_IN_POLICY;
  for (const [name, value] of Object.entries(sections)) {
    if (name !== 'default') policies.set(name, readPolicy(value, base, name, timezone, ['policies', name], report));
  }
  return policies;
}

function readPolicy(
  value: unknown,
  base: Policy,
  name: string,
  timezone: string,
  path: Path,
  report: TreeReport,
): Policy {
  const written = validate(policySchema, value ?? {}, path, report);
  return written === undefined ? { ...base, name } : checkedPolicy(written, base, name, timezone, path, report);
}

/** A policy that starts from `base`, its times checked against one another. @param timezone of windows that name none. */
export function checkedPolicy(
  written: WrittenPolicy,
  base: Policy,
  name: string | null,
  timezone: string,
  path: Path,
  report: TreeReport,
): Policy {
  const windows =
    written.windows === undefined ? base.windows : readWindows(written.windows, timezone, [...path, 'windows'], report);
  const policy = derivePolicy(base, written, name, windows);
  for (const bound of BOUNDS) {
    if (bound.holds(policy)) continue;
    // Where the policy writes neither, it has both from `base`, and the problem was told there.
    const at = bound.sides.find((side) => side.written(written));
    if (at !== undefined) report.value([...path, ...at.path], boundMessage(bound, at, written, policy));
  }
  checkWindows(policy, written, path, report);
  return policy;
}

function derivePolicy(base: Policy, written: WrittenPolicy, name: string | null, windows: Windows | null): Policy {
  return {
    name,
    lifetime: written.lifetime ?? base.lifetime,
    renewBefore: written.renewBefore ?? base.renewBefore,
    grace: written.grace ?? base.grace,
    maxAge: written.maxAge === undefined ? base.maxAge : written.maxAge,
    provisional:
      written.provisional === undefined ? base.provisional : written.provisional === 'off' ? null : written.provisional,
    verify: {
      method: written.verify?.method ?? base.verify.method,
      timeout: written.verify?.timeout ?? base.verify.timeout,
      settle: written.verify?.settle ?? base.verify.settle,
    },
    initial: written.initial ?? base.initial,
    retire: written.retire ?? base.retire,
    unmanaged: written.unmanaged ?? base.unmanaged,
    windows,
  };
}

interface Side {
  readonly path: Path;
  written(policy: WrittenPolicy): boolean;
  value(policy: Policy): number | null;
}

interface Bound {
  readonly sides: readonly [Side, Side];
  /** How the first side must stand to the second. */
  readonly words: string;
  holds(policy: Policy): boolean;
}

const LIFETIME: Side = {
  path: ['lifetime'],
  written: (policy) => policy.lifetime !== undefined,
  value: (policy) => policy.lifetime,
};
const RENEW_BEFORE: Side = {
  path: ['renewBefore'],
  written: (policy) => policy.renewBefore !== undefined,
  value: (policy) => policy.renewBefore,
};
const GRACE: Side = {
  path: ['grace'],
  written: (policy) => policy.grace !== undefined,
  value: (policy) => policy.grace,
};
const PROVISIONAL: Side = {
  path: ['provisional'],
  written: (policy) => policy.provisional !== undefined,
  value: (policy) => policy.provisional,
};
const VERIFY_TIMEOUT: Side = {
  path: ['verify', 'timeout'],
  written: (policy) => policy.verify?.timeout !== undefined,
  value: (policy) => policy.verify.timeout,
};

const BOUNDS: readonly Bound[] = [
  { sides: [RENEW_BEFORE, LIFETIME], words: 'below', holds: (policy) => policy.renewBefore < policy.lifetime },
  { sides: [GRACE, RENEW_BEFORE], words: 'below', holds: (policy) => policy.grace < policy.renewBefore },
  {
    sides: [PROVISIONAL, VERIFY_TIMEOUT],
    words: 'at least twice',
    holds: (policy) => policy.provisional === null || policy.provisional >= 2 * policy.verify.timeout,
  },
];

function boundMessage(bound: Bound, at: Side, written: WrittenPolicy, policy: Policy): string {
  const [first, second] = bound.sides;
  const rule = `${first.path.join('.')} must be ${bound.words} ${second.path.join('.')}`;
  const other = at === first ? second : first;
  if (other.written(written)) return rule;
  // Only the built-in value is shown: another one may have come out of a variable.
  const inherited = other.value(policy);
  const shown = inherited !== null && inherited === other.value(BUILT_IN_POLICY) ? ` ${formatDuration(inherited)}` : '';
  return `${rule} (not set here; it has${shown === '' ? ' the value of the default policy' : shown + ' by default'})`;
}
