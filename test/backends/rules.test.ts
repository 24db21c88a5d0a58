/** Prometheus' own tool checks the configuration and the rules, and plays faults that are made up. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { binary } from './binaries.ts';
import { CONFIG } from './services.ts';

test.each([
  ['check', 'config', 'prometheus.yaml'],
  ['check', 'rules', 'rules.yaml'],
  ['test', 'rules', 'rules.test.yaml'],
])('promtool %s %s %s', (verb, what, file) => {
  const { status, stdout, stderr } = spawnSync(binary('promtool'), [verb, what, join(CONFIG, file)], {
    encoding: 'utf8',
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
  expect(stdout).toContain('SUCCESS');
});
