/** What measuring costs is known, and held below a limit: by recording less, with books that balance all the same. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { KernelCost } from '../../src/tracer/cost.ts';
import { openMeasuring } from '../../src/tracer/measuring.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { tell } from '../support/conversation.ts';
import { countOf, ledger, sumOf, untimed } from '../support/counting.ts';
import { Program, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

/** Threads that make as many timed waits as they can. */
async function busy(sandbox: Sandbox, threads: number): Promise<Program> {
  const waits = join(sandbox.dir, 'waits');
  execFileSync('clang', ['-O1', '-pthread', '-o', waits, join(FIXTURES, 'waits.c')]);
  const program = new Program(waits, [String(threads), sandbox.mark]);
  await program.line(/^ready/);
  return program;
}

test('sampled, it records about one wakeup in so many, and counts each that it leaves out', async () => {
  using sandbox = new Sandbox();
  using tracer = new Tracer();
  await using program = await busy(sandbox, 1);
  tracer.attach({ pid: program.pid, name: 'waits', createdAtMs: 0 });
  await tell(program, 'nanosleep 500 100');
  tracer.shed({ detail: false, factor: 4 });
  await tell(program, 'nanosleep 4000 100');
  tracer.shed(undefined);
  await tell(program, 'nanosleep 500 100');
  tracer.detach(program.pid);
  const counters = tracer.counters();
  const { seen, decided } = ledger(tracer);
  expect(decided).toBe(seen);
  // A binomial of 4,000 at 3/4 has a standard deviation of 27.
  const sampled = counters.get('discard_sampled') ?? 0;
  expect(Math.abs(sampled - 3_000)).toBeLessThan(6 * 27);
  const series = tracer.collect().flatMap((agent) => agent.series);
  const [full, shed] = [series.filter((s) => !s.shed), series.filter((s) => s.shed)];
  expect(new Set(shed.map((s) => s.quantity))).toEqual(new Set(['timer.lateness', 'wakeup.run_queue_delay']));
  expect(new Set(shed.map((s) => JSON.stringify(s.shed)))).toEqual(new Set(['{"detail":false,"factor":4}']));
  // Left out for another reason, or woken by a timer for which the kernel ran no program: then it is not known for one.
  const missing = untimed(tracer, series) - sampled;
  // Those on their way at a change may be on either side of it.
  expect(Math.abs(countOf(full, 'timer.lateness') - 1_000)).toBeLessThanOrEqual(missing + 2);
  expect(Math.abs(countOf(shed, 'timer.lateness') - (4_000 - sampled))).toBeLessThanOrEqual(missing + 4);
  expect(countOf(series, 'wakeup.run_queue_delay')).toBe(counters.get('wakeup_recorded'));
  // What was recorded in full adds up by itself.
  expect(sumOf(full, 'timer.slack_use') + sumOf(full, 'timer.overrun')).toBe(sumOf(full, 'timer.lateness'));
});

test('a canary is recorded in full, whatever is shed of the others', async () => {
  using tracer = new Tracer();
  using canary = tracer.attachThread(process.pid, true);
  tracer.shed({ detail: false, factor: 1_024 });
  for (let i = 0; i < 50; i++) await setTimeout(2);
  expect(tracer.counters().get('discard_sampled')).toBe(0);
  expect(new Set(canary.series().map((s) => s.quantity))).toContain('wakeup.latency');
});

test("what it costs by calibration is within ten times the kernel's account: a wrong unit would be a thousand", async () => {
  using sandbox = new Sandbox();
  await using program = await busy(sandbox, 8);
  const rates: number[] = [];
  for (const without of [[], ['stats']]) {
    const { tracer, costPerEvent } = openMeasuring({ without: new Set(without), calibrate: true });
    if (!tracer) throw new Error('no tracer');
    using _tracer = tracer;
    tracer.attach({ pid: program.pid, name: 'waits', createdAtMs: 0 });
    using cost = new KernelCost(tracer, costPerEvent);
    expect(cost.method).toBe(without.length === 0 ? 'measured' : 'calibrated');
    const done = tell(program, 'nanosleep 8000 50');
    await until('its first window is over', () => cost.rate > 0, 20_000);
    rates.push(cost.rate);
    await done;
    process.stderr.write(
      `${without.length === 0 ? 'measured' : 'calibrated'}: ${JSON.stringify(costPerEvent)}, ${rates.at(-1)} cores\n`,
    );
  }
  const [measured = 0, calibrated = 0] = rates;
  expect(measured).toBeGreaterThan(0);
  expect(calibrated / measured).toBeGreaterThan(0.1);
  expect(calibrated / measured).toBeLessThan(10);
});

test('above the limit it sheds and says so, the books balance, and it records everything again when the load is gone', async () => {
  using sandbox = new Sandbox();
  await using program = await busy(sandbox, 8);
  await using taut = await sandbox.watch('--optimize-timer-slack', '--max-overhead', '2');
  program.say('nanosleep 400000 30');
  await taut.line(/the limit is 2%: from now on taut records only how late/);
  const tracer = async () => (await sandbox.json<StatusDocument>('status')).tracer;
  await until('wakeups are sampled', async () => ((await tracer())?.sampling.factor ?? 1) > 1);
  expect((await tracer())?.sampling.detail).toBe(false);
  await program.stop('SIGKILL');
  await taut.line(/from now on taut records everything/, 100_000);
  expect((await tracer())?.sampling).toEqual({ factor: 1, detail: true });
  await taut.stop();

  const events = sandbox
    .lastSums('taut.tracer.events')
    .filter(({ attributes: a }) => a['taut.tracer.event'] === 'wakeup');
  const of = (key: string, value: string) =>
    events.filter(({ attributes }) => attributes[key] === value).reduce((n, e) => n + e.value, 0);
  expect(of('taut.discard.reason', 'sampled')).toBeGreaterThan(0);
  // What is recorded and no agent's is the canary's: a few a second.
  const recorded = of('taut.tracer.outcome', 'recorded');
  const own = recorded - sandbox.lastCount('taut.wakeup.run_queue_delay');
  expect(own).toBeGreaterThanOrEqual(sandbox.lastCount('taut.canary.latency'));
  expect(own).toBeLessThanOrEqual(sandbox.lastCount('taut.canary.latency') + 20);
  const metrics = readFileSync(join(sandbox.stateDir, 'otlp/metrics.jsonl'), 'utf8');
  expect(metrics.includes('taut.sampling.factor')).toBe(true);
  const logs = readFileSync(join(sandbox.stateDir, 'otlp/logs.jsonl'), 'utf8');
  const said = taut.errors.filter((line) => line.includes('the limit is 2%')).length;
  expect([...logs.matchAll(/"eventName":"taut\.shedding"/g)]).toHaveLength(said);
});

test.each(['0', '-1', 'much', ''])('a limit of %j is none, and stops the start', async (limit) => {
  using sandbox = new Sandbox();
  await using taut = sandbox.taut('watch', `--max-overhead=${limit}`);
  expect(await taut.ended).toBe(2);
});

test.each([
  ['', 'measured'],
  ['stats', 'calibrated'],
])(
  'exports what it costs in the kernel in every case, and how that was had (without %j: %s)',
  async (without, method) => {
    using sandbox = new Sandbox({ TAUT_WITHOUT: without });
    await using agent = await busy(sandbox, 1);
    agent.say('nanosleep 100000 100'); // longer than all else here: so that there is something to measure
    await using taut = await sandbox.watch();
    await setTimeout(1_500);
    await taut.stop();
    const cpu = sandbox
      .lastSums('taut.self.cpu')
      .map(({ value, attributes: a }) => [a['taut.self.part'], a['taut.self.method'], value > 0]);
    expect(cpu).toEqual([
      ['user', 'measured', true],
      ['kernel', method, true],
    ]);
  },
);
