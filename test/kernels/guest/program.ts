/** The real command line, as a person runs it. */
import { readFileSync } from 'node:fs';
import { Ledger } from '../../../src/actuator/ledger.ts';
import type { StatusDocument } from '../../../src/agents/status.ts';
import { ProcHandle } from '../../../src/proc/handle.ts';
import { ask, tell } from '../../support/conversation.ts';
import { slacks, threadIds, until } from '../../support/program.ts';
import { Sandbox } from '../../support/taut.ts';
import type { Observations, Tuning } from './observations.ts';

export async function observeDoctor(): Promise<Observations['doctor']> {
  using sandbox = new Sandbox();
  await using doctor = sandbox.taut('doctor', '--json');
  const exitCode = await doctor.ended;
  const { measure, tune, mode, checks } = JSON.parse(doctor.lines.join('\n')) as {
    mode: string;
    measure: boolean;
    tune: boolean;
    checks: { name: string; ok: boolean; detail: string }[];
  };
  const missing = checks.filter(({ ok }) => !ok);
  const [names, why] = [missing.map(({ name }) => name), missing.map(({ detail }) => detail)];
  return { exitCode, measure, tune, mode, missing: names, why };
}

/** Node needs long to start here. */
const SLOW_MS = 120_000;

const slack = (tid: number) => Number(readFileSync(`/proc/${tid}/timerslack_ns`, 'latin1'));

function slices(pid: number): number[] {
  return threadIds(pid).map((tid) => {
    using thread = new ProcHandle(tid);
    return thread.slice();
  });
}

export async function observeTuning(): Promise<Tuning> {
  using sandbox = new Sandbox({ OTEL_METRIC_EXPORT_INTERVAL: '60000' });
  await using agent = sandbox.node('agent.mjs');
  await agent.line(/^ready/);
  const before = slacks(agent.pid);
  const slicesBefore = slices(agent.pid);
  await using taut = sandbox.taut(
    'watch',
    '--config',
    sandbox.config,
    '--optimize-timer-slack',
    '--optimize-sched-slice',
  );
  await taut.line(/watching/, SLOW_MS);
  await until('all threads are tuned', () => slacks(agent.pid).every((ns) => ns === 1));
  const tuned = slacks(agent.pid);
  const slicesTuned = slices(agent.pid);
  const first = new Set(threadIds(agent.pid));
  await tell(agent, 'worker');
  const bornLater = threadIds(agent.pid).filter((tid) => !first.has(tid));
  await until('threads that were born later are tuned', () => bornLater.every((tid) => slack(tid) === 1));
  await until('their slices are as those of the others', () => slices(agent.pid).every((ns) => ns === slicesTuned[0]));
  const child = Number((await ask(agent, 'tool')).split(' ')[1]);
  await until('a child gets its slack back', () => slack(child) !== 1);
  const status = await sandbox.json<StatusDocument>('status');
  const observed = { before, tuned, bornLater: bornLater.map(slack), child: slack(child) };
  const exitCode = await taut.stop();
  const { total = 0, tuned: n = 0 } = status.agents[0]?.threads ?? {};
  const after = slacks(agent.pid);
  using ledger = new Ledger(sandbox.stateDir);
  return {
    ...observed,
    after,
    status: { total, tuned: n, ledger: status.ledger.entries ?? -1 },
    ledgerAfter: ledger.count(),
    slices: { before: slicesBefore, tuned: slicesTuned, after: slices(agent.pid) },
    lacking: taut.errors.filter((line) => line.includes('not changing')),
    exitCode,
    modes: taut.errors.flatMap((line) => /measuring .*\(mode (\w+)\)/.exec(line)?.[1] ?? []),
    wakeups: sandbox.lastCount('taut.wakeup.latency'),
    waitedSeconds: sandbox.lastSums('taut.run_queue.time').reduce((sum, { value }) => sum + value, 0),
  };
}
