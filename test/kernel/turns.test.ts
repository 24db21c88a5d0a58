/** Turns of a made-up agent that runs the hooks' program itself: what taut counts in each, in which trace, and whom it does not believe. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tell } from '../support/conversation.ts';
import { type Span, values } from '../support/otlp.ts';
import { Program, until } from '../support/program.ts';
import { attribute, spansOf } from '../support/spans.ts';
import { isStopped } from '../support/stopped.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

const HOOK = join(import.meta.dirname, '../../build/taut-turn');
const TURNING = join(FIXTURES, 'turning.py');
const OTHER_USER = 4_242;
const OFTEN = { OTEL_METRIC_EXPORT_INTERVAL: '200', OTEL_BSP_SCHEDULE_DELAY: '100' };

const hook = (event: 'begin' | 'end', ids: object = {}) =>
  `hook echo '${JSON.stringify({ prompt: 'a secret', ...ids })}' | ${HOOK} ${event}`;
const forged = (...fields: string[]) => ['taut-turn', ...fields].join(' ');

const turnsOf = (sandbox: Sandbox) => spansOf(sandbox.stateDir, 'wakeups');

async function attached(sandbox: Sandbox, taut: Program): Promise<Program> {
  const agent = sandbox.python('turning.py');
  await agent.line(/^ready$/);
  await taut.line(new RegExp(`attached to fixture-agent \\(${agent.pid}\\)`));
  return agent;
}

const isAsleep = (pid: number) => / S /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));

/** Runs a hook that begins while its agent sleeps, and lasts until the agent is told to go on. Of the agent nothing is counted meanwhile. */
async function held(agent: Program, event: 'begin' | 'end', ids: object): Promise<void> {
  const before = agent.lines.length;
  const said = (line: string) => agent.lines.slice(before).includes(line);
  const [first, then] = ['echo waits; read -r line; ', '; echo held; read -r line'];
  agent.say(hook(event, ids).replace(/^hook /, `hook ${first}`) + then);
  await until('the agent waits for the hook', () => said('waits') && isAsleep(agent.pid));
  agent.say('');
  await until('the hook is held', () => said('held'));
}

/** How often each outcome was counted of what hooks have said. */
function outcomes(sandbox: Sandbox): Record<string, number> {
  const all = sandbox.lastSums('taut.operations').filter(({ attributes: a }) => a['taut.operation'] === 'turn');
  return Object.fromEntries(all.map(({ attributes, value }) => [String(attributes['taut.outcome']), value]));
}

const counted = (sandbox: Sandbox, expected: Record<string, number>) =>
  until(`counted: ${JSON.stringify(expected)}`, () =>
    Object.entries(expected).every(([outcome, n]) => outcomes(sandbox)[outcome] === n),
  );

/** What the histograms have that were exported after this call. */
async function exported(sandbox: Sandbox) {
  const before = sandbox.exports().length;
  await until('histograms are exported', () => sandbox.exports().length > before + 1);
  const latency = sandbox.lastCounts('taut.wakeup.latency');
  const of = (source: string, slackClass?: string, tuned?: boolean) =>
    latency
      .filter(({ attributes: a }) => a['taut.wakeup.source'] === source)
      .filter(({ attributes: a }) => slackClass === undefined || a['taut.timer.slack_class'] === slackClass)
      .filter(({ attributes: a }) => tuned === undefined || a['taut.tuned'] === tuned)
      .reduce((sum, { count }) => sum + count, 0);
  return {
    'wakeups.total': sandbox.lastCount('taut.wakeup.run_queue_delay'),
    'wakeups.other': of('other'),
    'wakeups.timer_reachable': of('timer', 'reachable', false),
    'wakeups.timer_reachable_tuned': of('timer', 'reachable', true),
    'wakeups.timer_beyond': of('timer', 'beyond'),
    'wakeups.timer_none': of('timer', 'none'),
  };
}

test('a turn has as many wakeups, by source and slack class, as were exported from its beginning to its end', async () => {
  using sandbox = new Sandbox(OFTEN);
  await using taut = await sandbox.watch('--optimize-timer-slack', '--log-level', 'debug');
  await using agent = await attached(sandbox, taut);
  await tell(agent, 'nap 20'); // before the turn, so that it is not all that there is
  const ids = { session_id: 's-1', turn_id: 't-1' };
  await held(agent, 'begin', ids);
  await taut.line(/a turn of fixture-agent \(\d+\) begins/);
  const before = await exported(sandbox);
  await tell(agent, '');
  await tell(agent, 'nap 200');
  await held(agent, 'end', ids);
  await taut.line(/a turn of fixture-agent \(\d+\) is over \(ended\)/);
  const after = await exported(sandbox);
  await until('the span is exported', () => turnsOf(sandbox).length === 1);
  const [span] = turnsOf(sandbox) as [Span];
  const said = values(span.attributes);
  for (const [name, count] of Object.entries(after))
    expect([name, said[`taut.turn.${name}`]]).toEqual([name, count - before[name as keyof typeof before]]);
  expect(said['taut.turn.wakeups.timer_reachable_tuned']).toBeGreaterThan(0);
  expect(said).toMatchObject({
    ...{ 'gen_ai.conversation.id': 's-1', 'session.id': 's-1', 'taut.turn.id': 't-1', 'taut.turn.end': 'ended' },
    ...{ 'process.pid': agent.pid, 'taut.agent.name': 'fixture-agent', 'taut.turn.processes': 1 },
    'taut.turn.tuned': { values: [{ stringValue: 'timer_slack_ns=1' }] },
  });
  const number = (name: string) => Number(said[`taut.turn.${name}`]);
  for (const of of ['lateness', 'run_queue_delay']) {
    const spread = ['p50', 'p90', 'p99', 'max'].map((q) => number(`${of}.${q}`));
    expect(spread).toEqual(spread.toSorted((a, b) => a - b));
  }
  const seconds = Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e9;
  expect(number('run_queue_delay.share') * seconds).toBeCloseTo(number('run_queue_delay.total'), 6);
  expect(number('run_queue_delay.total')).toBeGreaterThanOrEqual(number('run_queue_delay.max') * 0.9);
  await until('the metric is exported', () => sandbox.lastCount('taut.turn.run_queue_delay') === 1);
  expect(JSON.stringify(said)).not.toContain('secret');
});

test('a turn is in the trace that its hook was given, else in its own; each is linked to what taut did to the agent', async () => {
  using sandbox = new Sandbox(OFTEN);
  await using taut = await sandbox.watch();
  await using agent = await attached(sandbox, taut);
  const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
  const parent = `TRACEPARENT=00-${traceId}-${spanId}-01`;
  for (const event of ['begin', 'end'] as const)
    await tell(agent, hook(event, { session_id: 'in it' }).replace(`| ${HOOK}`, `| ${parent} ${HOOK}`));
  for (const event of ['begin', 'end'] as const) await tell(agent, hook(event, { session_id: 'alone' }));
  await until('both are exported', () => turnsOf(sandbox).length === 2);
  const [attach] = spansOf(sandbox.stateDir, 'attach') as [Span];
  const [inIt, alone] = turnsOf(sandbox) as [Span, Span];
  expect(inIt).toMatchObject({ traceId, parentSpanId: spanId });
  expect(attribute(inIt, 'session.id')).toBe('undefined'); // it has a blank, and no id does
  expect([alone.traceId === traceId, alone.traceId === attach.traceId, Boolean(alone.parentSpanId)]).toEqual([
    false,
    false,
    false,
  ]);
  expect(attribute(alone, 'session.id')).toBe('alone');
  for (const span of [inIt, alone])
    expect(span.links?.map((link) => [link.traceId, link.spanId])).toEqual([[attach.traceId, attach.spanId]]);
});

test('a turn without an end is over when the next one begins, or with its agent', async () => {
  using sandbox = new Sandbox(OFTEN);
  await using taut = await sandbox.watch();
  await using agent = await attached(sandbox, taut);
  for (const turn_id of ['interrupted', 'last']) await tell(agent, hook('begin', { session_id: 's', turn_id }));
  await tell(agent, hook('end', { session_id: 's', turn_id: 'interrupted' })); // it is not open any more
  await tell(agent, hook('begin', { session_id: 'another', turn_id: 'beside' }));
  agent.child.stdin?.end();
  await agent.ended;
  await counted(sandbox, { begun: 3, superseded: 1, agent_ended: 2, no_begin: 1 });
  await until('all are exported', () => turnsOf(sandbox).length === 3);
  const ends = turnsOf(sandbox).map((span) => ['taut.turn.id', 'taut.turn.end'].map((key) => attribute(span, key)));
  expect(ends.toSorted()).toEqual([
    ['beside', 'agent_ended'],
    ['interrupted', 'superseded'],
    ['last', 'agent_ended'],
  ]);
  expect(sandbox.lastCount('taut.turn.run_queue_delay')).toBe(0);
});

test('a turn that had begun when taut found its agent is measured from then on', async () => {
  using sandbox = new Sandbox(OFTEN);
  await using agent = sandbox.python('turning.py');
  await tell(agent, hook('begin', { session_id: 's' }));
  await using taut = await sandbox.watch();
  await taut.line(new RegExp(`attached to fixture-agent \\(${agent.pid}\\)`));
  await tell(agent, 'nap 20');
  for (let times = 0; times < 2; times++) await tell(agent, hook('end', { session_id: 's' }));
  await counted(sandbox, { begun_before: 1, ended: 1, no_begin: 1 });
  await until('it is exported', () => turnsOf(sandbox).length === 1);
  const said = values((turnsOf(sandbox) as [Span])[0].attributes);
  expect(said).toMatchObject({ 'taut.turn.partial': true, 'taut.turn.end': 'ended' });
  expect(said['taut.turn.wakeups.timer_reachable']).toBeGreaterThan(0);
});

test('who is no process below an agent, is of another user, or tells what no hook does is counted and not believed', async () => {
  using sandbox = new Sandbox(OFTEN);
  await using taut = await sandbox.watch();
  await using agent = await attached(sandbox, taut);
  await using stranger = new Program('python3', [TURNING]);
  await tell(stranger, hook('begin', { session_id: 's' }));
  await tell(stranger, `forge ${OTHER_USER} ${forged('begin', 's', 't', '-')}`);
  await tell(agent, `forge ${OTHER_USER} ${forged('begin', 's', 't', '-')}`);
  for (const fields of [
    ['middle', 's', 't', '-'],
    ['begin', 's', 't', 'no-trace-context'],
    ['begin', 's', 't', '-', 'more'],
    ['begin', 'x'.repeat(65), 't', '-'],
    ['begin', '', 't', '-'],
  ])
    await tell(agent, `forge 0 ${forged(...fields)}`);
  await counted(sandbox, { no_agent: 2, other_user: 1, malformed: 5 });
  await tell(agent, `late ${forged('begin', 's', 't', '-')}`);
  agent.child.stdin?.end();
  await agent.ended;
  await counted(sandbox, { no_agent: 3, other_user: 1, malformed: 5 });
  expect(outcomes(sandbox)['begun']).toBeUndefined();
  expect(turnsOf(sandbox)).toEqual([]);
});

test("a flood of one agent's hooks is refused, and takes nothing from another agent of the same user", async () => {
  using sandbox = new Sandbox(OFTEN);
  await using taut = await sandbox.watch();
  await using flooding = await attached(sandbox, taut);
  await using agent = await attached(sandbox, taut);
  const times = 300;
  const flood = tell(flooding, `flood ${times} ${forged('begin', 's', '-', '-')}`);
  await tell(agent, hook('begin', { session_id: 'beside' }));
  await tell(agent, hook('end', { session_id: 'beside' }));
  await flood;
  await counted(sandbox, { ended: 1 });
  await until('every message is counted', () => {
    const { begun = 0, too_many = 0, late = 0, no_room = 0 } = outcomes(sandbox);
    return begun - 1 + too_many + late + no_room === times;
  });
  expect(outcomes(sandbox)['too_many']).toBeGreaterThan(0);
});

test('a hook does not wait for a taut that hangs, which believes nothing that it hears too late', async () => {
  using sandbox = new Sandbox(OFTEN);
  await using taut = await sandbox.watch();
  await using agent = await attached(sandbox, taut);
  taut.child.kill('SIGSTOP');
  await until('it is stopped', () => isStopped(taut.pid));
  await tell(agent, hook('begin', { session_id: 's' }));
  const told = Date.now();
  await until('long after the hook', () => Date.now() > told + 5_100);
  taut.child.kill('SIGCONT');
  await counted(sandbox, { late: 1 });
  expect(agent.lines).toEqual(['ready', 'done']);
});

test('taut run measures the turns of its command, and leaves them in the trace of the run', async () => {
  using sandbox = new Sandbox(OFTEN);
  await using run = sandbox.taut('run', '--log-level', 'info', '--', 'python3', TURNING);
  await run.line(/attached to/);
  await tell(run, hook('begin', { session_id: 's' }));
  await tell(run, hook('end', { session_id: 's' }));
  run.child.stdin?.end();
  await run.ended;
  const [attach] = spansOf(sandbox.stateDir, 'attach') as [Span];
  const [turn] = turnsOf(sandbox) as [Span];
  const [whole] = spansOf(sandbox.stateDir, 'run') as [Span];
  expect([turn.traceId, turn.parentSpanId]).toEqual([whole.traceId, whole.spanId]);
  expect([turn.traceId, turn.links ?? []]).toEqual([attach.traceId, []]);
});

test("a user's hook is heard by root's taut, and where no taut is it is as silent", async () => {
  expect(existsSync(HOOK)).toBe(true);
  using sandbox = new Sandbox(OFTEN);
  {
    await using alone = sandbox.python('turning.py', `as=${OTHER_USER}`);
    await tell(alone, hook('begin', { session_id: 's' }));
    expect([alone.lines, alone.errors]).toEqual([['ready', 'done'], []]);
  }
  await using taut = await sandbox.watch();
  await using agent = sandbox.python('turning.py', `as=${OTHER_USER}`);
  await taut.line(new RegExp(`attached to fixture-agent \\(${agent.pid}\\)`));
  for (const event of ['begin', 'end'] as const) await tell(agent, hook(event, { session_id: 's' }));
  await counted(sandbox, { begun: 1, ended: 1 });
  expect([agent.lines, agent.errors]).toEqual([['ready', 'done', 'done'], []]);
});
