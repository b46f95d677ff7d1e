import { describe, expect, it } from 'vitest';
import { BASE, problemsOf } from './loading.ts';

/** `policies` on line 6, and all that is said of it. */
const policies: readonly [what: string, text: string, ...problems: string[]][] = [
  [
    'renewBefore above lifetime',
    'default: { lifetime: 10d, renewBefore: 11d, grace: 1d }',
    '7:42: policies.default.renewBefore: renewBefore must be below lifetime',
  ],
  [
    'renewBefore as long as lifetime',
    'default: { lifetime: 10d, renewBefore: 10d, grace: 1d }',
    '7:42: policies.default.renewBefore: renewBefore must be below lifetime',
  ],
  [
    'grace as long as renewBefore',
    'default: { renewBefore: 10d, grace: 10d }',
    '7:39: policies.default.grace: grace must be below renewBefore',
  ],
  [
    'lifetime below a default',
    'default: { lifetime: 20d }',
    '7:24: policies.default.lifetime: renewBefore must be below lifetime (not set here; it has 30d by default)',
  ],
  [
    'provisional too short',
    'default: { provisional: 39m }',
    '7:27: policies.default.provisional: provisional must be at least twice verify.timeout (not set here; it has 20m by default)',
  ],
  [
    'verify.timeout too long',
    'default: { verify: { timeout: 13h } }',
    '7:33: policies.default.verify.timeout: provisional must be at least twice verify.timeout (not set here; it has 1d by default)',
  ],
  [
    'told where it is written, not where it is inherited',
    'default: { grace: 31d }\n  other: { retire: manual }',
    '7:21: policies.default.grace: grace must be below renewBefore (not set here; it has 30d by default)',
  ],
  [
    'an own value against one of the default policy',
    'default: { grace: 1h, renewBefore: 2h, lifetime: 3h }\n  other: { grace: 3h }',
    '8:19: policies.other.grace: grace must be below renewBefore (not set here; it has the value of the default policy)',
  ],
  [
    'neither off nor a duration',
    'default: { provisional: never }',
    '7:27: policies.default.provisional: must be a duration such as 45s, 15m, 36h or 90d',
  ],
  ['an unknown key', 'default: { lifetim: 5d }', '7:14: policies.default.lifetim: unknown key; did you mean lifetime?'],
  ['an unknown key in verify', 'x: { verify: { wait: 5d } }', '7:18: policies.x.verify.wait: unknown key'],
];

describe('problems of policies', () => {
  it.each(policies)('%s', async (_what, text, ...problems) => {
    expect(await problemsOf(`${BASE}policies:\n  ${text}\n`)).toEqual(problems.map((problem) => `a.yaml:${problem}`));
  });
});
