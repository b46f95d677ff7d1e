import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '../../../src/domain/time.ts';
import { BASE, fakeBackends, load, problemsOf } from './loading.ts';
import { z } from 'zod';

const NIGHTLY = '{ start: "0 22 * * *", duration: 6h }';
const RULE = '{ issuer: data8, match: { clientId: "*" }, deliver: [{ vault: local, name: "{clientId}" }] }';

/** The policies that are added to BASE (line 6 is their first line), and all that is said of them. */
const bad: readonly [what: string, text: string, ...problems: string[]][] = [
  ['not a list', 'default: { windows: 5 }', '7:23: policies.default.windows: must be a list'],
  [
    'no duration',
    'default: { windows: [{ start: "0 22 * * *" }] }',
    '7:24: policies.default.windows[0].duration: is required',
  ],
  [
    'no cron expression',
    'default: { windows: [{ start: "22:00", duration: 6h }] }',
    '7:33: policies.default.windows[0].start: is not a cron expression: it has 1 fields and not 5, or 6 with seconds first',
  ],
  [
    'cron out of bounds, in the second one',
    `default: { windows: [${NIGHTLY}, { start: "0 25 * * *", duration: 6h }] }`,
    '7:72: policies.default.windows[1].start: is not a cron expression: look at the hour',
  ],
  [
    'a cron expression that never fires',
    'default: { windows: [{ start: "0 0 30 2 *", duration: 6h }] }',
    '7:33: policies.default.windows[0].start: never fires: there is no such day (the day of the month and the day of the week must both hold)',
  ],
  [
    'one that opens all the time',
    'default: { windows: [{ start: "*/5 * * * *", duration: 6h }] }',
    '7:33: policies.default.windows[0].start: opens 288 times on one day: name one start, and a longer duration',
  ],
  [
    'a duration of nothing',
    'default: { windows: [{ start: "0 22 * * *", duration: 0s }] }',
    '7:57: policies.default.windows[0].duration: must be at least 1m',
  ],
  [
    'a duration of weeks',
    'default: { windows: [{ start: "0 22 * * *", duration: 8d }] }',
    '7:57: policies.default.windows[0].duration: must not be above 7d',
  ],
  [
    'an unknown time zone',
    'default: { windows: [{ start: "0 22 * * *", duration: 6h, timezone: Mars/Base }] }',
    '7:71: policies.default.windows[0].timezone: is not a time zone; write it as in Europe/London',
  ],
  [
    'an unknown key',
    'default: { windows: [{ start: "0 22 * * *", duration: 6h, zone: UTC }] }',
    '7:61: policies.default.windows[0].zone: unknown key',
  ],
  [
    'too short for a rotation',
    'default: { windows: [{ start: "0 22 * * *", duration: 30m }] }',
    '7:57: policies.default.windows[0].duration: must be at least verify.timeout + verify.settle: a rotation is to end in the window that it begins in',
  ],
  [
    'too short for a rotation by another verify than the default policy',
    `default: { windows: [{ start: "0 22 * * *", duration: 40m }] }\n  slow: { verify: { settle: 30m } }`,
    '8:19: policies.slow.verify: every window must be at least verify.timeout + verify.settle: a rotation is to end in the window that it begins in',
  ],
  [
    'shut for longer than a secret may wait',
    'default: { renewBefore: 7d, grace: 1d, windows: [{ start: "0 1 * * 0", duration: 4h }] }',
    '7:51: policies.default.windows: no rotation may begin for up to 165h, and a secret that is due then becomes urgent: open a window more often, or raise renewBefore',
  ],
  [
    'shut for years',
    'default: { windows: [{ start: "0 1 29 2 *", duration: 4h }] }',
    '7:23: policies.default.windows: no rotation may begin for up to 35061h, and a secret that is due then becomes urgent: open a window more often, or raise renewBefore',
  ],
  [
    'shut for longer than a shorter renewBefore than the default policy has',
    'default: { windows: [{ start: "0 1 * * 0", duration: 4h }] }\n  quick: { renewBefore: 5d, grace: 1d }',
    '8:25: policies.quick.renewBefore: by its windows no rotation may begin for up to 165h, and a secret that is due then becomes urgent: open a window more often, or raise renewBefore',
  ],
];

const policies = (text: string) => `${BASE}policies:\n  ${text}\n`;

describe('maintenance windows', () => {
  it.each(bad)('refused: %s', async (_what, text, ...problems) => {
    expect(await problemsOf(policies(text))).toEqual(problems.map((each) => `a.yaml:${each}`));
  });

  it('are refused in a policy that is written inline, too', async () => {
    const rule = RULE.replace('match', 'policy: { windows: [{ start: "0 22 * * *", duration: 9d }] }, match');
    expect(await problemsOf(`${BASE}credentials: [${rule}]\n`)).toEqual([
      'a.yaml:6:85: credentials[0].policy.windows[0].duration: must not be above 7d',
    ]);
  });

  it('never show what came out of a variable', async () => {
    const text = policies('default: { windows: [{ start: "${V}", duration: 6h }] }');
    expect(await problemsOf(text, { env: { V: 'hush-hush 1 2' } })).toEqual([expect.not.stringContaining('hush-hush')]);
  });

  it('are none by default, and where the list is empty', async () => {
    const [built] = (await load(`${BASE}credentials: [${RULE}]\n`)).rules;
    expect(built?.policy.windows).toBeNull();
    const text = `${policies(`default: { windows: [${NIGHTLY}] }\n  free: { windows: [] }`)}credentials: [${RULE.replace('match', 'policy: free, match')}]\n`;
    expect((await load(text)).rules[0]?.policy.windows).toBeNull();
  });

  it('take their zone from the top, and are inherited as they are', async () => {
    const text = `timezone: Europe/London\n${policies(
      `default: { windows: [${NIGHTLY}, { start: "0 9 * * 6", duration: 90m, timezone: UTC }] }\n  own: { maxAge: 80d }`,
    )}credentials: [${RULE.replace('match', 'policy: own, match')}]\n`;
    expect((await load(text)).rules[0]?.policy.windows?.written).toEqual([
      { start: '0 22 * * *', duration: 6 * HOUR, timezone: 'Europe/London' },
      { start: '0 9 * * 6', duration: 90 * MINUTE, timezone: 'UTC' },
    ]);
  });

  it('tell of a top time zone that is none once, and of nothing that follows from it', async () => {
    expect(await problemsOf(`timezone: Mars\n${policies(`default: { windows: [${NIGHTLY}] }`)}`)).toEqual([
      'a.yaml:1:11: timezone: is not a time zone; write it as in Europe/London',
    ]);
  });

  it('must be long enough for a deletion at the issuer of their rule', async () => {
    const [[type, shape]] = [...fakeBackends.issuers] as [[string, { schema: z.ZodObject }]];
    const slow = { schema: shape.schema.extend({ requestLifetime: z.number().default(4 * HOUR) }) };
    const backends = { ...fakeBackends, issuers: new Map([[type, slow]]) };
    const text = `${policies(`default: { windows: [${NIGHTLY}] }`)}credentials: [${RULE}]\n`;
    expect(await problemsOf(text, { backends })).toEqual([
      'a.yaml:8:15: credentials[0].policy: its windows are too short for a deletion: one must be at least twice the requestLifetime of its issuer',
    ]);
    expect(await problemsOf(text.replace('6h', '8h'), { backends })).toEqual([]);
  });
});
