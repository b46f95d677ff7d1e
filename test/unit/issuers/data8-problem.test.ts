import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { describeProblem, distillProblem } from '../../../src/issuers/data8/problem.ts';

const nothing = { type: null, title: null, trace: null };
const canary = 'canary+S3cret/&="value"~%';
const secrets = [SecretValue.of(canary)];

describe('what is kept of an error body', () => {
  it('I8: type, title and trace id, and nothing else', () => {
    const body = JSON.stringify({
      type: 'https://tools.ietf.org/html/rfc9110#section-15.5.1',
      title: 'One or more validation errors occurred.',
      status: 400,
      detail: 'a detail',
      instance: '/here',
      errors: { description: ['too long'] },
      traceId: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00',
    });
    expect(distillProblem(body, secrets)).toEqual({
      type: 'https://tools.ietf.org/html/rfc9110',
      title: 'One or more validation errors occurred.',
      trace: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00',
    });
  });

  it.each([
    ['HTML', '<html><title>Bad Gateway</title></html>'],
    ['nothing', ''],
    ['not read', null],
    ['half of it', '{"title":"Bad'],
    ['a list', '["Bad"]'],
    ['a text', '"Bad"'],
    ['null', 'null'],
    ['members of other types', '{"type":1,"title":["Bad"],"traceId":{}}'],
  ])('I8: %s gives nothing', (_name, body) => {
    expect(distillProblem(body, secrets)).toEqual(nothing);
  });

  it.each([
    ['raw', canary],
    ['URL-escaped', encodeURIComponent(canary)],
    ['form-escaped', new URLSearchParams([['', canary]]).toString().slice(1)],
    ['JSON-escaped', JSON.stringify(canary).slice(1, -1)],
    ['base64', Buffer.from(canary).toString('base64')],
    ['base64url', Buffer.from(canary).toString('base64url')],
  ])('I8, S1: drops what quotes the secret, %s', (_name, spelling) => {
    const body = JSON.stringify({ type: `urn:${spelling}`, title: `bad: ${spelling}.`, traceId: spelling });
    expect(distillProblem(body, secrets)).toEqual(nothing);
  });

  it('I8, S1: hides a word that looks like a secret, even one that we do not know', () => {
    const title = 'Secret Zm9vYmFyYmF6cXV4Zm9vYmFy rejected';
    expect(distillProblem(JSON.stringify({ title }), []).title).toBe('Secret … rejected');
  });

  it('S7: strips control characters and cuts what is long', () => {
    const title = `a\u001b[31mb\r\nc\u2028d\u202e${' word'.repeat(100)}`;
    const kept = distillProblem(JSON.stringify({ title }), []).title!;
    expect(kept).toMatch(/^a \[31mb c d  word/);
    expect(kept.length).toBeLessThanOrEqual(120);
    expect(distillProblem(JSON.stringify({ type: `https://x/${'a/'.repeat(200)}`, traceId: 'a\nb' }), [])).toEqual(
      nothing,
    );
  });

  it('S1: whatever the body, no description holds the secret', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const body = JSON.stringify({
          type: `urn:${before}${canary}`,
          title: before + canary + after,
          traceId: canary,
        });
        expect(describeProblem(distillProblem(body, secrets))).not.toContain(canary);
      }),
    );
  });

  it('is told in few words', () => {
    expect(describeProblem({ type: 'urn:x', title: 'No', trace: 't1' })).toBe(' ("No", type urn:x, trace t1)');
    expect(describeProblem({ type: 'about:blank', title: null, trace: null })).toBe('');
  });
});
