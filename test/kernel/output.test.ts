/** What taut prints arrives whole, and does nothing to a terminal; a reader that goes away is no error. */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { Program, slacks, until } from '../support/program.ts';
import { FIXTURES, LAUNCHER, Sandbox } from '../support/taut.ts';

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A line of bash, with $TAUT and $DIR, byte for byte what it wrote. */
function shell(sandbox: Sandbox, line: string): Promise<Said> {
  const env = { ...process.env, TAUT: LAUNCHER, DIR: sandbox.stateDir };
  const child = spawn('bash', ['-c', line], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text.out += piece));
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (text.err += piece));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, ...text })));
}

/** Everything that a terminal obeys, but the newline. */
function harmful(text: string): string[] {
  const isControl = (code: number) => (code < 0x20 && code !== 0x0a) || (code >= 0x7f && code <= 0x9f);
  const isFormat = (code: number) => (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e);
  return [...text].filter((c) => isControl(c.charCodeAt(0)) || isFormat(c.charCodeAt(0)));
}

/** What a shell says of the first command of a pipeline. */
const ITS_CODE = 'echo "$PIPESTATUS"';

test('of 300 agents status and explain are read to the end through a pipe, however late', async () => {
  using sandbox = new Sandbox();
  const crowd = join(FIXTURES, 'crowd.py');
  await using agents = new Program('python3', [crowd, '300', '/bin/sh', '-c', 'read x', sandbox.mark]);
  await agents.line(/^ready/);
  await using taut = await sandbox.watch();
  await until('all are attached', async () => (await sandbox.json<StatusDocument>('status')).agents.length >= 300);
  const json = await shell(sandbox, '$TAUT status --state-dir $DIR --json | (sleep 1; cat)');
  expect(json.out.length).toBeGreaterThan(65_536);
  expect((JSON.parse(json.out) as StatusDocument).agents.length).toBeGreaterThanOrEqual(300);
  const last = await shell(sandbox, '$TAUT explain --last 4096 --state-dir $DIR --json | (sleep 1; cat)');
  expect(last.out.length).toBeGreaterThan(65_536);
  expect((JSON.parse(last.out) as unknown[]).length).toBeGreaterThanOrEqual(300);
  // More than a pipe holds is written when its reader goes away.
  const cut = await shell(sandbox, `$TAUT explain --last 4096 --state-dir $DIR | head -1; ${ITS_CODE}`);
  expect(cut).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^process .*\n0\n$/) });
  // Killed, it would leave traces of which only a part was sent.
  await taut.stop();
});

test.each([
  ['status --state-dir $DIR', 0],
  ['status --state-dir $DIR --json', 0],
  ['explain 1 --state-dir $DIR', 0],
  ['restore --state-dir $DIR --json', 0],
  ['config schema', 0],
  ['--help', 0],
  ['explain --state-dir $DIR', 2],
  ['explain 4194304 --state-dir $DIR 2>&1', 1],
  ['wach 2>&1', 2],
])('taut %s has its exit code and says nothing of it when nobody reads', async (args, code) => {
  using sandbox = new Sandbox();
  const { out, err } = await shell(sandbox, `$TAUT ${args} | true; ${ITS_CODE}`);
  expect([out, err.replace(/^taut: a process id, .*\n/, '')]).toEqual([`${code}\n`, '']);
});

test.each(['status --state-dir $DIR --json', 'explain 1 --state-dir $DIR', 'config schema', '--version'])(
  'taut %s fails and says why when its output can not be written',
  async (args) => {
    using sandbox = new Sandbox();
    const { code, err } = await shell(sandbox, `$TAUT ${args} > /dev/full`);
    expect([code, err]).toEqual([1, expect.stringMatching(/^taut: standard output: ENOSPC: .*\n$/)]);
    expect(await shell(sandbox, `$TAUT ${args} 2> /dev/full`)).toMatchObject({ code: 0, err: '' });
  },
);

test('a daemon whose events nobody reads any more puts everything back and ends quietly', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  const line = `$TAUT watch --config ${sandbox.config} --optimize-timer-slack --json --state-dir $DIR 2>$DIR.err | head -1`;
  const running = shell(sandbox, `${line}; ${ITS_CODE}`);
  // Nothing more happens to agents: the reader's end alone has to be seen.
  const { out } = await running;
  expect(out).toMatch(/^\{.*"event":"attach".*\}\n0\n$/);
  expect(slacks(agent.pid)).toEqual([50_000]);
  const { out: log } = await shell(sandbox, 'cat $DIR.err');
  expect(log).not.toMatch(/EPIPE|node:/);
});

/** A terminal that goes away: the program's output, then nothing at the other end. */
const DYING_TERMINAL = `
import os, pty, subprocess, sys
master, slave = pty.openpty()
child = subprocess.Popen(sys.argv[2:], stdin=slave, stdout=slave, stderr=slave)
os.close(slave)
seen = b""
while sys.argv[1].encode() not in seen:
    seen += os.read(master, 4096)
os.close(master)
print("gone", flush=True)
sys.exit(child.wait())
`;

import { sleeper } from '../support/sleeper.ts';

test('a daemon whose terminal is gone puts everything back and ends quietly', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  const watch = ['watch', '--config', sandbox.config, '--optimize-timer-slack', '--state-dir', sandbox.stateDir];
  await using program = new Program('python3', ['-c', DYING_TERMINAL, 'watching', LAUNCHER, ...watch]);
  await program.line(/^gone/);
  expect(await program.ended).toBe(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test('a stream that is not read waits within bounds; what is left out is counted', async () => {
  const [events, bytes] = [40_000, 1_000];
  await using program = new Program(process.execPath, [join(FIXTURES, 'stream.ts'), String(events), String(bytes)]);
  program.child.stdout?.pause();
  await program.line(/^printed/);
  expect(program.lines.length).toBe(0);
  program.child.stdout?.resume();
  expect(await program.ended).toBe(1);
  const lost = Number(/(\d+) lines (?:are missing|were left out)/.exec(program.errors.at(-1) ?? '')?.[1]);
  expect(program.errors.filter((line) => line.includes('from here on lines are left out'))).toHaveLength(1);
  expect(program.lines.length + lost).toBe(events);
  expect(program.lines.length * bytes).toBeLessThanOrEqual((16 << 20) + (1 << 20));
  expect(program.lines.length).toBeGreaterThan(1_000);
  const numbers = program.lines.map((line) => (JSON.parse(line) as { n: number }).n);
  expect(numbers).toEqual([...numbers.keys()]);
});

test('the end does not wait for a reader of a stream that takes nothing, and says what is missing', async () => {
  await using program = new Program(process.execPath, [join(FIXTURES, 'stream.ts'), '2000', '1000']);
  program.child.stdout?.pause();
  const exited = new Promise<number | null>((resolve) => program.child.once('exit', resolve));
  expect(await exited).toBe(1);
  program.child.stdout?.resume();
  await program.ended;
  expect(program.errors.join('\n')).toMatch(/standard output is not complete: [1-9]\d* bytes were not read/);
});

const EVIL = '\x1b[31mE\x1b]0;pwn\x07\nfake: \u009b2J\u202e\x7f';

test("a process's own name reaches no terminal raw, nor begins a line", async () => {
  using sandbox = new Sandbox();
  const script = `exec -a "$EVIL" sleep 1000`;
  await using agent = new Program('bash', ['-c', script], { ...process.env, EVIL: `${EVIL}${'x'.repeat(10_000)}` });
  await until('it runs', async () => (await shell(sandbox, `cat /proc/${agent.pid}/comm`)).out === 'sleep\n');
  await using taut = sandbox.taut('attach', String(agent.pid), '--optimize-timer-slack');
  await taut.line(/watching/);
  const said = [
    await shell(sandbox, '$TAUT status --state-dir $DIR'),
    await shell(sandbox, '$TAUT status --state-dir $DIR --json'),
    await shell(sandbox, `$TAUT explain ${agent.pid} --state-dir $DIR`),
    await shell(sandbox, '$TAUT explain --last 9 --state-dir $DIR --json'),
    await shell(sandbox, '$TAUT restore --dry-run --state-dir $DIR'),
  ];
  await taut.stop();
  for (const { code, out, err } of said) {
    expect(code).toBe(0);
    expect(err).toBe('');
    expect(harmful(out)).toEqual([]);
    expect(out).not.toMatch(/^fake/m);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThan(1_000);
  }
  expect(said[0]?.out).toContain('\\x1b[31mE\\x1b]0;pwn\\x07\\nfake: \\x9b2J\\u202e\\x7f');
  expect(harmful(taut.errors.join('\n'))).toEqual([]);
  expect(taut.errors.every((line) => line.startsWith('taut: '))).toBe(true);
  expect(taut.errors.join('\n')).toContain('attached to \\x1b[31mE');
});

test('nor do arguments, rule ids, and whoever holds a lock', async () => {
  using sandbox = new Sandbox();
  const quoted = "$'\\x1b[31mx\\u009b\\u202e\\n\\nfake: y'";
  writeFileSync(
    `${sandbox.dir}/rules.yaml`,
    `version: 1\nrules:\n  - id: "evil\\e[31m\\u009b\\nfake"\n    program: evilprogram\n`,
  );
  mkdirSync(sandbox.stateDir);
  const script = 'echo held; exec sleep 1000';
  await using holder = new Program('flock', ['--no-fork', `${sandbox.stateDir}/taut.lock`, 'sh', '-c', script]);
  await holder.line(/^held/);
  appendFileSync(`${sandbox.stateDir}/taut.lock`, EVIL);
  const lines = [
    `$TAUT explain --cmdline ${quoted}`,
    `$TAUT explain --cmdline ${quoted} --json`,
    `$TAUT explain --cmdline evilprogram --config ${sandbox.dir}/rules.yaml`,
    `$TAUT explain ${quoted}`,
    `$TAUT ${quoted}`,
    `$TAUT status --${quoted}`,
    `$TAUT status --state-dir ${quoted}`,
    `$TAUT config check ${quoted}`,
    '$TAUT watch --state-dir $DIR',
  ];
  for (const line of lines) {
    const { out, err } = await shell(sandbox, line);
    expect(harmful(`${out}${err}`), line).toEqual([]);
    expect(`${out}${err}`, line).not.toMatch(/^fake/m);
    expect(`${out}${err}`.length, line).toBeGreaterThan(10);
  }
});
