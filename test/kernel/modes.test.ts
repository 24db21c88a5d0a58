/** The same program in each mode: what it measures, and that everything else goes on. */
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { Schedstat } from '../../src/tracer/schedstat.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { tell } from '../support/conversation.ts';
import { Program, slacks } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';

/** The modes that the last export says, by metric. */
function exportedModes(sandbox: Sandbox): Map<string, Set<unknown>> {
  const modes = new Map<string, Set<unknown>>();
  const text = readFileSync(join(sandbox.stateDir, 'otlp/metrics.jsonl'), 'utf8');
  for (const [, name, points] of text.matchAll(/"name":"(taut\.[a-z_.]+)"(.*?)(?="name":"|$)/gm)) {
    const of = modes.get(name ?? '') ?? new Set();
    modes.set(name ?? '', of);
    const n = points?.split('"timeUnixNano"').length ?? 1;
    const found = [...(points ?? '').matchAll(/"taut\.tracer\.mode","value":\{"stringValue":"(\w+)"/g)].map(
      ([, m]) => m,
    );
    for (const mode of found) of.add(mode);
    if (found.length !== n - 1) of.add(`${n - 1} points, ${found.length} with a mode`);
  }
  return modes;
}

test.each([
  ['full', '', 0],
  ['wakeups', 'timers', 1],
  ['schedstat', 'bpf', 1],
  ['none', 'bpf,schedstat', 1],
])(
  'in mode %s it finds and tunes, and says the mode once, in its status and on every series',
  async (mode, without, code) => {
    using sandbox = new Sandbox({ TAUT_WITHOUT: without });
    await using agent = await sleeper(sandbox);
    await using taut = await sandbox.watch('--optimize-timer-slack');
    expect(slacks(agent.pid)).toEqual([1]);
    const { tracer, agents } = await sandbox.json<StatusDocument>('status');
    expect(tracer).toMatchObject({ mode, state: 'ok', reason: null });
    expect(tracer?.modeReason === null).toBe(mode === 'full');
    expect(agents).toHaveLength(1);
    await tell(agent, 'sleep 100 500');
    expect(await taut.stop()).toBe(code);
    expect(taut.errors.filter((line) => /measuring/.test(line))).toHaveLength(1);
    expect(slacks(agent.pid)).toEqual([50_000]);
    for (const [metric, modes] of exportedModes(sandbox)) expect([metric, ...modes]).toEqual([metric, mode]);
    expect(sandbox.lastCount('taut.timer.lateness') > 0).toBe(mode === 'full');
    expect(sandbox.lastCount('taut.wakeup.latency') > 0).toBe(mode === 'full' || mode === 'wakeups');
    const timeslices = sandbox.lastSums('taut.run_queue.timeslices').map(({ value }) => value);
    if (mode === 'schedstat') expect(Math.max(...timeslices)).toBeGreaterThanOrEqual(100);
    else expect(timeslices).toEqual([]);
  },
);

test('without the timer chain it counts the same wakeups, and does not say what caused them', async () => {
  using tracer = new Tracer({ timers: false });
  await using program = await sleeper();
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  await tell(program, 'sleep 250 1000');
  tracer.detach(program.pid);
  const series = tracer.collect().flatMap((agent) => agent.series);
  expect(new Set(series.map(({ quantity }) => quantity))).toEqual(
    new Set(['wakeup.latency', 'wakeup.hand_over', 'wakeup.run_queue_delay']),
  );
  expect(new Set(series.map(({ source }) => source))).toEqual(new Set([undefined]));
  const counters = tracer.counters();
  const of = (pattern: RegExp) => [...counters].reduce((n, [name, value]) => (pattern.test(name) ? n + value : n), 0);
  const latencies = series.filter(({ quantity }) => quantity === 'wakeup.latency');
  expect(latencies.reduce((n, { histogram }) => n + histogram.count, 0)).toBe(of(/^wakeup_recorded$/));
  expect(of(/^wakeup_recorded$|^discard_/)).toBe(of(/^wakeup_seen$/));
  expect(of(/^wakeup_seen$/)).toBeGreaterThanOrEqual(250);
});

test('schedstat counts a timeslice for each sleep, and the waiting that the kernel has added up', async () => {
  await using program = await sleeper();
  const schedstat = new Schedstat();
  schedstat.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  const kernel = () => readFileSync(`/proc/${program.pid}/schedstat`, 'latin1').trim().split(' ').map(Number);
  const before = kernel();
  await tell(program, 'sleep 300 500');
  const after = kernel();
  const [read] = schedstat.collect();
  expect(read?.timeslices).toBe((after[2] ?? 0) - (before[2] ?? 0));
  expect(Number(read?.waitedNs)).toBe((after[1] ?? 0) - (before[1] ?? 0));
  expect(read?.timeslices).toBeGreaterThanOrEqual(300);
  schedstat.detach(program.pid);
  expect(schedstat.collect()).toHaveLength(1);
  expect(schedstat.collect()).toEqual([]);
});

test('without root it measures what anybody may read', async () => {
  using sandbox = new Sandbox();
  chmodSync(sandbox.dir, 0o1777);
  await using agent = await sleeper(sandbox);
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--', LAUNCHER];
  const args = ['watch', '--config', sandbox.config, '--state-dir', sandbox.stateDir];
  await using taut = new Program('setpriv', [...nobody, ...args], {
    ...process.env,
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
  });
  await taut.line(/watching/);
  await tell(agent, 'sleep 100 500');
  expect(await taut.stop()).toBe(1);
  expect(taut.errors.join('\n')).toContain('run taut as root');
  expect(sandbox.lastSums('taut.run_queue.timeslices')[0]?.value).toBeGreaterThanOrEqual(100);
});

test.each([
  ['full', '', 0, []],
  ['wakeups', 'timers', 3, ['timer chain']],
  ['schedstat', 'bpf', 3, ['kernel tracer']],
  ['none', 'bpf,schedstat', 3, ['kernel tracer']],
])('doctor names mode %s', async (mode, without, code, missing) => {
  using sandbox = new Sandbox({ TAUT_WITHOUT: without });
  await using program = sandbox.taut('doctor', '--json');
  expect(await program.ended).toBe(code);
  const document = JSON.parse(program.lines.join('\n')) as { mode: string; checks: { name: string; ok: boolean }[] };
  expect(document.mode).toBe(mode);
  expect(document.checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(missing);
});

test('signals that come all the time, as from a profiler, do not keep it from measuring', async () => {
  using sandbox = new Sandbox();
  const profile = `--cpu-prof --cpu-prof-interval=100 --cpu-prof-dir=${sandbox.dir}`;
  await using taut = sandbox.tautWith({ NODE_OPTIONS: profile }, 'watch', '--config', sandbox.config);
  await taut.line(/watching/);
  expect((await sandbox.json<StatusDocument>('status')).tracer).toMatchObject({ mode: 'full', modeReason: null });
});
