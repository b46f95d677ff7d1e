import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { promtool } from './promtool.ts';
import { provideServer } from './provided-server.ts';

const RULES = join(import.meta.dirname, '../../config/prometheus/alerts.yaml');
const TESTS = join(import.meta.dirname, 'alerts.promtool.yaml');
const provided = await provideServer(promtool);

if (provided.how === 'none') {
  describe('config/prometheus/alerts.yaml', () => {
    it.skip(`[skipped: ${provided.reason}]`);
  });
} else {
  const { path } = provided.server.access;
  const run = (...args: string[]) => promisify(execFile)(path, args);

  describe('config/prometheus/alerts.yaml', () => {
    it('is understood by Prometheus', async () => {
      const { stdout } = await run('check', 'rules', RULES);
      expect(stdout).toContain('SUCCESS');
    });

    it('fires when it should, and not before', async () => {
      const { stdout } = await run('test', 'rules', TESTS);
      expect(stdout).toContain('SUCCESS');
    });

    it('would be told of an alert that does not fire', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'rekeyd-alerts-'));
      const rules = (await readFile(RULES, 'utf8')).replace('rekeyd_breaker_open == 1', 'rekeyd_breaker_open == 2');
      await writeFile(join(folder, 'alerts.yaml'), rules);
      const tests = (await readFile(TESTS, 'utf8')).replace('../../config/prometheus/alerts.yaml', 'alerts.yaml');
      await writeFile(join(folder, 'tests.yaml'), tests);
      await expect(run('test', 'rules', join(folder, 'tests.yaml'))).rejects.toThrow();
      await rm(folder, { recursive: true });
    });
  });
}
