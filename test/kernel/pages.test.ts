/** Every command line that the pages for users show is run, against an agent of the test's own. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blocks, commandLines, tautCommand } from '../support/pages.ts';
import { outcome, Program, slacks } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';

const root = new URL('../..', import.meta.url).pathname;
const PAGES = [
  ...['README.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** Each once. Where a sentence names a command without what it needs there is nothing to run. */
const LINES = [...new Set(PAGES.flatMap(commandLines).map(({ line }) => line))]
  .filter((line) => !/^taut (run|attach|explain|config check|config import|flags check)( --[a-z-]+)*$/.test(line))
  // What it asks is in test/backends.
  .filter((line) => !line.startsWith('taut rollout'))
  .sort();

/** Where those that take rules take just the test's: nothing else on this machine is touched. */
const TAKES_RULES = ['watch', 'run', 'attach'];

test.each(LINES)('%s', async (line) => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  const words = tautCommand(line, { pid: String(agent.pid), file: fileFor(line, sandbox) });
  const [command = ''] = words;
  const rest = command === 'demo' ? shortened(words.slice(1)) : words.slice(1);
  const rules = TAKES_RULES.includes(command) ? ['--config', sandbox.config] : [];
  const env = { ...process.env, TAUT_STATE_DIR: sandbox.stateDir, PATH: `${programs(sandbox)}:${process.env['PATH']}` };
  // The newest decisions are those of a taut that runs.
  await using _beside = line.includes('--last') ? await sandbox.watch() : undefined;
  await using taut = new Program(LAUNCHER, [command, ...rules, ...rest], env, sandbox.dir);
  if (command === 'watch' || command === 'attach') {
    await taut.line(/watching/);
    await taut.line(/fixture-agent|python|sleeper/);
    expect(slacks(agent.pid)).toEqual([line.includes('--optimize-timer-slack') ? 1 : 50_000]);
    expect(await taut.stop()).toBe(0);
    expect(slacks(agent.pid)).toEqual([50_000]);
  } else {
    const { code, err } = await outcome(taut);
    expect(code, err).toBe(command === 'run' ? 7 : 0);
  }
});

test('the pages show commands to run', () => {
  expect(LINES.length).toBeGreaterThan(15);
});

/** A file of the kind that the command takes. */
function fileFor(line: string, { config, dir }: Sandbox): string {
  if (line.startsWith('taut run')) return 'claude';
  const write = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  if (line.includes('import')) return write('agentsight.json', '{}');
  const outcomes = PAGES.find(({ path }) => path === 'docs/outcomes.md')?.text ?? '';
  return line.includes('flags') ? write('flags.json', blocks(outcomes, 'json')[0] ?? '') : config;
}

/** A folder with a program of an agent's name, which ends at once. */
function programs({ dir }: Sandbox): string {
  const folder = join(dir, 'bin');
  mkdirSync(folder);
  writeFileSync(join(folder, 'claude'), '#!/bin/sh\nexit 7\n');
  chmodSync(join(folder, 'claude'), 0o755);
  return folder;
}

/** A phase of the demo takes a second: what it shows is not looked at here. */
function shortened(options: readonly string[]): string[] {
  const at = options.indexOf('--seconds');
  return ['--seconds', '1', ...(at < 0 ? options : options.toSpliced(at, 2))];
}
