/** Options with values: the lists are what the programs' own help says, and a value is never the script or the command. */
import { execFileSync, spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { optionsInHelp } from '../../scripts/optionsWithValues.ts';
import { commandsOf } from '../../src/discovery/command.ts';
import { OPTIONS_WITH_VALUES } from '../../src/discovery/optionsWithValues.ts';
import { effectiveProgram } from '../../src/discovery/program.ts';

const commandOf = (...given: Parameters<typeof commandsOf>) => commandsOf(...given)[0];

const listed = (program: string) => new Set(OPTIONS_WITH_VALUES[program]?.one);
const RUNTIMES = { node: 'node', python: 'python3', bun: 'bun', deno: 'deno' };
/** With these comes the code, or the name of what a child runs. */
const CODE = new Set(['-e', '--eval', '-p', '--print', '--run', '-c', '-m']);

test('each option with a value that the help of this Node and Python shows is listed: scripts/optionsWithValues.ts writes it', () => {
  for (const [program, path] of [
    ['node', process.execPath],
    ['python', 'python3'],
  ] as const) {
    const { one } = optionsInHelp(execFileSync(path, ['--help'], { encoding: 'utf8' }));
    expect(one.length, program).toBeGreaterThan(3);
    expect(one.filter((option) => !listed(program).has(option))).toEqual([]);
  }
});

test('Node takes the argument after each listed option that it knows for its value', () => {
  const probe = (option: string) => spawnSync(process.execPath, [option], { encoding: 'utf8', input: '' }).stderr;
  expect(probe('--title')).toMatch(/requires an argument/);
  const asked = ['--require', '--tls-cipher-list', '--heapsnapshot-signal', '--allow-fs-read', '--localstorage-file'];
  for (const option of asked) {
    expect(probe(option), option).toMatch(/requires an argument/);
    expect(listed('node').has(option)).toBe(true);
  }
});

test('the value of no option of a runtime is taken for the script', () => {
  for (const [runtime, command] of Object.entries(RUNTIMES)) {
    const options = [...listed(runtime)].filter((option) => runtime === 'deno' || !CODE.has(option));
    expect(options.length).toBeGreaterThan(2);
    for (const option of options) {
      const { name, interpreter } = effectiveProgram([command, option, 'x', '/y/bin/agent', 'z'], () => undefined);
      expect([option, name, interpreter]).toEqual([option, 'agent', runtime]);
    }
  }
});

test('the value of no option of an agent is taken for its command', () => {
  for (const program of ['claude', 'codex', 'gemini', 'copilot']) {
    const { one = [], many = [] } = OPTIONS_WITH_VALUES[program] ?? {};
    expect(one.length).toBeGreaterThan(10);
    for (const option of one) {
      expect(commandOf([option, 'mcp'], program, undefined)).toBeUndefined();
      expect(commandsOf([option, 'x', 'mcp', 'serve'], program, undefined)).toEqual(['mcp', 'serve']);
      expect(commandOf([`${option}=x`, 'mcp'], program, undefined)).toBe('mcp');
    }
    for (const option of many) {
      expect(commandOf([option, 'x', 'y'], program, undefined)).toBeUndefined();
      expect(commandOf([option, 'x', 'y', '--x', 'mcp'], program, undefined)).toBe('mcp');
    }
  }
});

test.each([
  [['serve'], 'serve'],
  [['--port', '80', 'serve'], 'serve'],
  [['--port=80', 'serve'], 'serve'],
  [['--verbose', '--port', '80', 'serve'], 'serve'],
  [['--verbose', 'serve'], undefined],
  [['--', 'serve'], 'serve'],
  [['-'], '-'],
  [[], undefined],
])('the command of a program that is not known, given %j, is %s', (args, command) => {
  expect(commandOf(args, 'unknown', undefined)).toBe(command);
});

test('what comes behind `--` is a command to some programs, and a prompt to others', () => {
  expect(commandsOf(['--debug', '--', 'mcp', 'list'], 'claude', undefined)).toEqual(['mcp']);
  expect(commandsOf(['--', 'login'], 'codex', undefined)).toEqual([]);
  expect(commandsOf(['exec', '--', 'login'], 'codex', undefined)).toEqual(['exec']);
  expect(commandsOf(['--', 'mcp'], 'gemini', undefined)).toEqual([]);
});

test('an option is one of the program, and no value, no prompt, and none of its interpreter', () => {
  const optionsOf = (line: string) => effectiveProgram(line.split(' '), () => undefined).options;
  expect(optionsOf('claude --model=x -p hi --verbose')).toEqual(['--model', '-p', '--verbose']);
  expect(optionsOf('codex -c -V exec')).toEqual(['-c']);
  expect(optionsOf('codex exec -- -V')).toEqual([]);
  expect(optionsOf('node --version-x /x/.bin/claude -v')).toEqual(['-v']);
  expect(optionsOf('python3 -v /x/bin/aider')).toEqual([]);
  expect(optionsOf('qemu-x86_64 -L /x /usr/bin/qwen --resume')).toEqual(['--resume']);
});
