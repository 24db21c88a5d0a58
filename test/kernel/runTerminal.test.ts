/** `taut run` at a terminal: what is typed reaches the command once, and what the command draws stays as it is. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { Program, until } from '../support/program.ts';
import { FIXTURES, LAUNCHER, Sandbox } from '../support/taut.ts';

const CTRL_C = '\x03';
const CTRL_Z = '\x1a';
const CTRL_BACKSLASH = '\x1c';

/** A terminal of its own, with a program in it. */
function terminal(...command: readonly string[]): Program {
  return new Program('python3', [join(FIXTURES, 'terminal.py'), ...command]);
}

function type(program: Program, keys: string): void {
  program.say(`type ${Buffer.from(keys).toString('hex')}`);
}

const times = (program: Program, pattern: RegExp) => program.lines.filter((line) => pattern.test(line)).length;

test('says nothing on a terminal while its command draws there, and all of it afterwards', async () => {
  using sandbox = new Sandbox();
  const script = 'echo drawn; read line; echo finished';
  await using program = terminal(LAUNCHER, 'run', '--state-dir', sandbox.stateDir, '--', 'sh', '-c', script);
  await program.line(/^drawn/);
  await until('it is measured', async () => (await sandbox.json<StatusDocument>('status')).agents.length === 1);
  type(program, '\n');
  await program.line(/taut: attached to sh/);
  const at = (pattern: RegExp) => program.lines.findIndex((line) => pattern.test(line));
  expect(at(/^taut:/)).toBeGreaterThan(at(/^finished/));
});

test('at the end it says what the command waited for, on a terminal alone', async () => {
  using sandbox = new Sandbox();
  const begun = ['run', '--state-dir', sandbox.stateDir, '--', 'python3', '-c'];
  const script = 'import time\nfor _ in range(200): time.sleep(0.01)';
  await using program = terminal(LAUNCHER, ...begun, script);
  await program.line(/taut: python3.* was woken [\d,]+ times in /);
  await program.line(/taut: {3}of its [\d,]+ timers half fired within /);
  await program.line(/taut: {3}then half of its wakeups had a CPU within /);
  await program.line(/taut: {3}nothing of it was changed/);
  await program.line(/taut: {3}(what would help: --optimize-|there is nothing to mend)/);
  await using piped = new Program(LAUNCHER, [...begun, script]);
  await piped.ended;
  expect(piped.errors.filter((line) => /was woken|would help/.test(line))).toEqual([]);
});

test('what is typed to interrupt or to quit reaches the command once', async () => {
  using sandbox = new Sandbox();
  const script = `trap 'echo interrupted' INT; trap 'echo quit; exit 4' QUIT; echo ready; while :; do sleep 0.1; done`;
  await using program = terminal(LAUNCHER, 'run', '--state-dir', sandbox.stateDir, '--', 'sh', '-c', script);
  await program.line(/^ready/);
  type(program, CTRL_C);
  await program.line(/interrupted/);
  type(program, CTRL_BACKSLASH);
  await program.line(/quit/);
  await program.ended; // all is said
  expect([times(program, /interrupted/), times(program, /quit/)]).toEqual([1, 1]);
});

test.each([
  ['by Ctrl-Z', 'echo ready; read line; echo "got $line"', CTRL_Z],
  ['by itself', 'echo ready; kill -STOP $$; read line; echo "got $line"', ''],
])('a command that is stopped %s is a stopped job of the shell, and goes on with fg', async (_, script, keys) => {
  using sandbox = new Sandbox();
  await using program = terminal('bash', '--norc', '--noprofile', '-i');
  type(program, `PS1=; ${LAUNCHER} run --state-dir ${sandbox.stateDir} -- sh -c '${script}'\n`);
  await program.line(/ready$/);
  if (keys !== '') type(program, keys);
  await program.line(/Stopped/);
  type(program, 'fg\n');
  type(program, 'hello\n');
  await program.line(/got hello$/);
});
