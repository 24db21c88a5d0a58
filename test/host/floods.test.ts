/** One process does one thing all the time: of no other kind is anything lost, and no agent is found later for it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compiled } from '../support/compiled.ts';
import { Program, slacks, until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';
import { attached } from '../support/world.ts';

const flood = compiled('flood');

/** Events without a command line that fit into a ring buffer: 1 MiB, of which one takes 56 bytes. */
const FIT = Math.floor(2 ** 20 / 56);

/** The floods below take seconds; a safety net. */
const LIMIT_MS = 500_000;

/** A rule by the agent's argument, as a sandbox has by itself, and one by a name that a process gives itself. */
function withRules(): Sandbox {
  const sandbox = new Sandbox();
  sandbox.useRules([
    { id: 'fixture', name: 'fixture-agent', anyArg: [sandbox.mark] },
    { id: 'calm', comm: 'calm' },
  ]);
  return sandbox;
}

/** The kinds of the events that were lost, from taut's event log. */
function lostKinds(sandbox: Sandbox): string[] {
  const path = join(sandbox.stateDir, 'otlp/logs.jsonl');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const kinds = [...text.matchAll(/"taut\.events\.kind","value":\{"stringValue":"(\w+)"/g)].map(
    ([, kind = '']) => kind,
  );
  return kinds.length === 0 && text.includes('taut.events_lost') ? ['unknown'] : kinds;
}

/** How taut came to look at a process: `exec`, `scan`, … */
async function sources(sandbox: Sandbox, pid: number): Promise<string[]> {
  const explained = await sandbox.json<{ sources: { source: string }[] }>('explain', String(pid));
  return explained.sources.map(({ source }) => source);
}

const isTuned = (agent: Program) => slacks(agent.pid).every((ns) => ns === 1);

test('names: a process that gives itself 100,000 loses nothing, and its last one is decided upon', async () => {
  using sandbox = withRules();
  await using taut = await sandbox.watch('--optimize-timer-slack');
  taut.child.kill('SIGSTOP');
  await using renaming = new Program(flood, ['rename', '100000']);
  await renaming.line(/^done/);
  await using agent = sandbox.python('storm.py');
  await agent.line(/^ready/);
  taut.child.kill('SIGCONT');
  await until('the agent and the process with its last name are tuned', () => isTuned(agent) && isTuned(renaming));
  expect(await sources(sandbox, agent.pid)).toEqual(['exec']);
  expect(attached(taut).toSorted()).toEqual([agent.pid, renaming.pid].toSorted());
  await taut.stop();
  expect(lostKinds(sandbox)).toEqual([]);
});

test('names: while one gives itself names for ever, taut hears of some twenty a second, and names it and its user', async () => {
  using sandbox = withRules();
  await using taut = await sandbox.watch('--optimize-timer-slack');
  await using renaming = new Program('setpriv', ['--reuid', '4242', '--clear-groups', flood, 'rename', '0']);
  await taut.line(new RegExp(`user 4242 gave its processes \\d+ names .*process ${renaming.pid}`));
  await using agent = sandbox.python('storm.py');
  await until('the agent is tuned', () => isTuned(agent));
  expect(await sources(sandbox, agent.pid)).toEqual(['exec']);
  await taut.stop();
  expect(lostKinds(sandbox)).toEqual([]);
});

test('programs: an agent that starts while there is no room for one more is told of again, and nothing is scanned', {
  timeout: LIMIT_MS,
}, async () => {
  using sandbox = withRules();
  await using taut = await sandbox.watch('--optimize-timer-slack');
  taut.child.kill('SIGSTOP');
  await using execs = new Program(flood, ['exec', String(FIT + 2_000)]);
  await execs.line(/^done/, LIMIT_MS);
  await using agent = sandbox.python('storm.py');
  await agent.line(/^ready/);
  taut.child.kill('SIGCONT');
  await until('the agent is tuned', () => isTuned(agent));
  expect(await sources(sandbox, agent.pid)).toEqual(['exec']);
  await taut.stop();
  expect(lostKinds(sandbox)).toContain('exec');
  expect(lostKinds(sandbox)).not.toContain('birth');
});

test('programs: with long command lines as many fit as with short ones', { timeout: LIMIT_MS }, async () => {
  using sandbox = withRules();
  await using taut = await sandbox.watch('--optimize-timer-slack');
  taut.child.kill('SIGSTOP');
  await using execs = new Program(flood, ['exec', String(FIT / 8), 'x'.repeat(1_900)]);
  await execs.line(/^done/, LIMIT_MS);
  await using agent = sandbox.python('storm.py');
  await agent.line(/^ready/);
  taut.child.kill('SIGCONT');
  await until('the agent is tuned', () => isTuned(agent));
  await taut.stop();
  expect(lostKinds(sandbox)).toEqual([]);
});

test('children: an agent that makes more than there is room for has them all put back, and another is found', {
  timeout: LIMIT_MS,
}, async () => {
  using sandbox = withRules();
  await using taut = await sandbox.watch('--optimize-timer-slack');
  await using first = sandbox.python('storm.py');
  await until('the first is tuned', () => isTuned(first));
  taut.child.kill('SIGSTOP');
  first.say(`threads ${FIT}`);
  await first.line(/^done/, LIMIT_MS);
  first.say('forks 1 1000');
  const child = Number((await first.line(/^children/)).split(' ')[1]);
  await using second = sandbox.python('storm.py');
  await second.line(/^ready/);
  taut.child.kill('SIGCONT');
  await until('the second agent is tuned', () => isTuned(second));
  expect(await sources(sandbox, second.pid)).toEqual(['exec']);
  await until('the child is put back', () => slacks(child).every((ns) => ns === 50_000));
  await taut.stop();
  expect(lostKinds(sandbox)).not.toContain('exec');
});
