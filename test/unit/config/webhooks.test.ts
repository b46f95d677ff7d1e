import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SECOND } from '../../../src/domain/time.ts';
import { fakeBackends, BASE, load, problemsOf } from './loading.ts';

const URL_TEXT = 'https://hooks.example.com/s3cret';
const HOOK = `webhooks:
  - name: chat
    url: ${URL_TEXT}
    events: [rotation-*]
`;

describe('webhooks', () => {
  it('are read, their URL and secret hidden', async () => {
    const text = `${BASE}webhookHosts: ["*.example.com"]\n${HOOK}    secret: "0123456789abcdef"\n`;
    const { webhooks } = await load(text);
    const [hook] = webhooks;
    expect(hook).toMatchObject({ name: 'chat', events: ['rotation-*'], template: null, timeout: 10 * SECOND });
    expect(hook?.url.equals(hook.url)).toBe(true);
    expect(inspect(webhooks, { depth: 9 }) + JSON.stringify(webhooks)).not.toMatch(/s3cret|0123456789abcdef/);
  });

  it.each([
    ['a host that is not allowed', '', 'its host is not in `webhookHosts`: name it there, if it is meant'],
    ['one that only ends like it', 'webhookHosts: [example.com]', 'its host is not in `webhookHosts`'],
  ])('refuses %s', async (_what, hosts, problem) => {
    const problems = await problemsOf(`${BASE}${hosts}\n${HOOK}`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`webhooks[0].url: ${problem}`);
    expect(problems[0]).not.toContain('s3cret');
  });

  it.each([
    ['http to elsewhere', 'url: http://hooks.example.com/', 'url: must start with https://'],
    ['no events', 'events: []', 'events: '],
    ['a short secret', 'secret: short', 'secret: '],
    ['a template that is no JSON', `template: '{"text": {message}}'`, 'template: must be JSON'],
    ['an unknown key', 'evnets: [a]', 'evnets: unknown key; did you mean events?'],
  ])('refuses %s', async (_what, line, problem) => {
    const key = line.split(':')[0] ?? '';
    const hook = HOOK.split('\n').filter((each) => !each.trim().startsWith(`${key}:`));
    const problems = await problemsOf(`${BASE}webhookHosts: ["*"]\n${hook.join('\n')}    ${line}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`webhooks[0].${problem}`);
  });

  it('refuses two of one name, and globs that fit no event', async () => {
    const twice = HOOK + HOOK.replace('webhooks:\n', '');
    expect(await problemsOf(`${BASE}webhookHosts: ["*"]\n${twice}`)).toEqual([
      expect.stringContaining('webhooks[1].name: another webhook has this name'),
    ]);
    const events = ['audit', 'breaker-opened'];
    const problems = await problemsOf(`${BASE}webhookHosts: ["*"]\n${HOOK}`, { backends: { ...fakeBackends, events } });
    expect(problems).toEqual([expect.stringContaining('webhooks[0].events[0]: no event has such a name')]);
  });
});
