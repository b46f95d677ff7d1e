// Counts what vitest reported of one step, for .ci/run.   node .ci/tally.js REPORT OUTPUT
// First line: passed, failed, skipped. Then a line for each suite of which every test was skipped, and one for each reason
// that was printed for it. Such a suite for which nothing says why is a failure, as is a report that holds no test.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [report = '', output = ''] = process.argv.slice(2);
if (!existsSync(report)) {
  process.stderr.write('vitest ended without a report\n');
  process.exit(1);
}
const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
const printed = readFileSync(output, 'utf8');

const tests = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults.map((test) => ({ ...test, file: relative(process.cwd(), name) })),
);
// a file of tests that could not even be loaded
const unloaded = testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
);
if (tests.length + unloaded.length === 0) {
  process.stderr.write(`${report} holds no test\n`);
  process.exit(1);
}

const isSkipped = ({ status }) => status !== 'passed' && status !== 'failed';
// no Map.groupBy: the machine's own Node, which runs this, may be an older one
const suites = new Map();
for (const test of tests) {
  const name = `${test.file}: ${test.ancestorTitles[0] ?? ''}`;
  suites.set(name, [...(suites.get(name) ?? []), test]);
}
const whole = [...suites].filter(([, members]) => members.every(isSkipped));
const names = whole.map(([name, { length }]) => `${name} (${length} ${length === 1 ? 'test' : 'tests'})`);
const titles = whole.flatMap(([, members]) => members.map(({ fullName }) => fullName));
const reasons = new Set(
  [printed, ...titles].flatMap((text) =>
    [...text.matchAll(/skipped: (.+?)\]?$/gm)].map(([, reason]) => `why: ${reason}`),
  ),
);

const count = (status) => tests.filter((test) => test.status === status).length;
const silent = whole.length > 0 && reasons.size === 0 ? whole.length : 0;
const failed = count('failed') + unloaded.length + silent;
const lines = [`${count('passed')} ${failed} ${tests.filter(isSkipped).length}`, ...names];
if (silent > 0) lines.push('why: nothing says so, which is a failure');
if (whole.length > 0) lines.push(...reasons);
process.stdout.write(`${lines.join('\n')}\n`);
