import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../../src/domain/action.ts';
import { BULK_FATES, BULK_STATES } from '../../../src/domain/bulk.ts';
import { CREDENTIAL_STATES } from '../../../src/domain/credential-state.ts';
import { DESTINATION_STATES } from '../../../src/domain/destination-state.ts';
import { REASONS } from '../../../src/domain/reason.ts';
import { OUTCOMES, ROTATION_STATES, STEPS, TRIGGERS } from '../../../src/domain/rotation-state.ts';
import { SECRET_ROLES } from '../../../src/domain/secret-role.ts';
import { CHECKS } from '../../../src/rotation/plan.ts';
import { ROOT, sources, walk } from './source.ts';

const pages = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** The text under a heading, up to the next one of its level or above. */
function section(page: string, heading: string): string {
  const [marks = '#'] = heading.split(' ');
  const after = read(page).split(`\n${heading}\n`)[1] ?? '';
  return after.split(new RegExp(`^#{1,${marks.length}} `, 'm'))[0] ?? '';
}

/** The words in the first cells of a text's tables. */
function words(text: string): string[] {
  return [...text.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, word = '']) => word);
}

describe('docs/states.md', () => {
  it.each([
    ['## State of a credential', CREDENTIAL_STATES],
    ['## State of a rotation', ROTATION_STATES],
    ['## Step of a rotation', STEPS],
    ['## Outcome', OUTCOMES],
    ['## Trigger', TRIGGERS],
    ['## Role of a secret', SECRET_ROLES],
    ['## State of a destination', DESTINATION_STATES],
    ['## Action', ACTIONS],
    ['## State of a bulk', BULK_STATES],
    ['## Fate in a bulk', BULK_FATES],
  ])('%s: explains each word of its list, in its order, and no other', (heading, list) => {
    expect(words(section('docs/states.md', heading))).toEqual(list);
  });
});

describe('docs/reasons.md', () => {
  it('explains each reason, in its order, and no other', () => {
    expect(words(read('docs/reasons.md'))).toEqual(REASONS);
  });

  it('explains no reason that the code never gives', () => {
    const given = new Set<string>();
    for (const { path, syntax } of sources) {
      if (path === 'domain/reason.ts') continue;
      walk(syntax, (node) => {
        if (ts.isStringLiteral(node)) given.add(node.text);
      });
    }
    expect(REASONS.filter((reason) => !given.has(reason))).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  it('lists the checks of the plan in their order', () => {
    const documented = words(section('docs/architecture.md', '## The order of the checks'));
    expect(documented).toEqual(CHECKS.map((check) => check.name));
  });

  it('names no function that is not in the file beside it', () => {
    const way = section('docs/architecture.md', '## The way of one secret');
    const named = [...way.matchAll(/`([a-z-]+(?:\/[a-z-]+)*\/[a-z-]+\.ts)`((?: `[A-Za-z]+`,?)*)/g)];
    expect(named.length).toBeGreaterThan(12);
    for (const [, path = '', functions = ''] of named) {
      const file = sources.find((each) => each.path === path);
      if (path.startsWith('test/')) continue;
      expect(file?.path, path).toBe(path);
      for (const [, name = ''] of functions.matchAll(/`(\w+)`/g)) {
        expect(file?.text, `${path} ${name}`).toMatch(new RegExp(`\\b${name}\\(`));
      }
    }
  });
});

describe('every page', () => {
  it('names no file of the repository that is not there', () => {
    const missing = pages.flatMap((page) =>
      [...read(page).matchAll(/`((?:src|test|config|docs|bin)\/[\w./-]+)`/g)]
        .map(([, path = '']) => path)
        // the configuration that a user writes, and placeholders such as src/vaults/NAME.ts
        .filter((path) => !/[A-Z]{3,}|…/.test(path) && path !== 'config/rekeyd.yaml')
        .filter((path) => !existsSync(join(ROOT, path)))
        .map((path) => `${page}: ${path}`),
    );
    expect(missing).toEqual([]);
  });

  it('has only links that lead somewhere', () => {
    const dead = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)]
        .map(([, link = '']) => link)
        .filter((link) => !leads(page, link))
        .map((link) => `${page}: ${link}`),
    );
    expect(dead).toEqual([]);
  });

  it('is in the list in docs/README.md', () => {
    const list = read('docs/README.md');
    const left = pages
      .filter((page) => page.startsWith('docs/') && page !== 'docs/README.md')
      .map((page) => page.replace('docs/', ''))
      .filter((page) => !list.includes(`](${page})`));
    expect(left).toEqual([]);
  });

  it('names only npm scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = pages.flatMap((page) => [...read(page).matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name));
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

describe('docs/decisions', () => {
  it.each(pages.filter((page) => /^docs\/decisions\/\d/.test(page)))('%s: says why, what, and what follows', (page) => {
    const text = read(page);
    expect(text).toMatch(/^# \d+\. \S/);
    for (const heading of ['## Context', '## Decision', '## Consequences']) expect(text).toContain(`\n${heading}\n`);
    expect(text.split('\n').length).toBeLessThan(60);
  });
});

describe('CHANGELOG.md', () => {
  it('has a section for what is not released yet', () => {
    expect(read('CHANGELOG.md')).toMatch(/^## \[Unreleased\]$/m);
  });
});

function leads(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(ROOT, target))) return false;
  if (anchor === undefined) return true;
  const headings = [...read(target).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .trim()
      .replace(/\s/g, '-'),
  );
  return headings.includes(anchor);
}
