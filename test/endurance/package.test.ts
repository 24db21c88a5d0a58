/** The package as somebody else's project gets it: packed, installed there by npm, and used. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const dir = mkdtempSync(join(tmpdir(), 'taut-package-'));
const project = join(dir, 'project');
/** As in a shell of that project's people: without what npm put first on the path of this test. */
const PATH = (process.env['PATH'] ?? '')
  .split(':')
  .filter((folder) => !folder.startsWith(ROOT))
  .join(':');
const env = { ...process.env, PATH };
const run = (cwd: string, command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

beforeAll(() => {
  run(ROOT, 'npm', 'pack', '--silent', '--pack-destination', dir);
  const [packed = ''] = readdirSync(dir).filter((name) => name.endsWith('.tgz'));
  run(dir, 'mkdir', project);
  const scripts = { which: 'node --version' };
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', version: '1.0.0', scripts }));
  run(project, 'npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', join(dir, packed));
}, 300_000);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the scripts of the project run on its own Node, and not on the one that taut brings', () => {
  expect(readdirSync(join(project, 'node_modules/.bin'))).not.toContain('node');
  expect(run(project, 'npm', 'run', '--silent', 'which')).toBe(run(project, 'node', '--version'));
});

test('taut runs there on the Node that it brings, with its addon', () => {
  const { phases } = JSON.parse(
    run(project, 'npx', '--no', 'taut', 'demo', '--seconds', '1', '--json', '--state-dir', dir),
  );
  const tuned = phases.map(({ threads }: { threads: { tuned: number } }) => threads.tuned);
  expect(tuned).toEqual([0, phases[1].threads.total, 0]);
});

test('its pages, its schema, its licence and what backends need are there', () => {
  const installed = readdirSync(join(project, 'node_modules/taut'));
  expect(installed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'docs', 'taut.schema.json', 'bin']));
  const backends = readdirSync(join(project, 'node_modules/taut/otel/backends'), { recursive: true });
  expect(backends.sort()).toEqual(readdirSync(join(ROOT, 'otel/backends'), { recursive: true }).sort());
});
