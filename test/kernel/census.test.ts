/** What is counted of agents goes back to zero when they go, and nobody is counted twice. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tell } from '../support/conversation.ts';
import { type Metric, type MetricRequest, metricsOf, values } from '../support/otlp.ts';
import { slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';

/** The exports so far, as the embedded sink has them. */
function exportsOf({ stateDir }: Sandbox): MetricRequest[] {
  const path = join(stateDir, 'otlp/metrics.jsonl');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as MetricRequest);
}

/** A metric in the last export, and each of its points by the attributes that are asked for. */
function last(
  sandbox: Sandbox,
  name: string,
  ...keys: string[]
): { metric: Metric | undefined; by: Record<string, number> } {
  const [metric] = metricsOf(exportsOf(sandbox).slice(-1), name);
  const points = (metric?.sum?.dataPoints ?? []).map((point) => {
    const attributes = values(point.attributes);
    return [keys.map((key) => attributes[key]).join(' '), Number(point.asDouble ?? point.asInt)] as const;
  });
  return { metric, by: Object.fromEntries(points) };
}

async function nextExport(sandbox: Sandbox): Promise<void> {
  // The one that is being collected may be of before: the one after it is not.
  const before = exportsOf(sandbox).length;
  await until('two exports more', () => exportsOf(sandbox).length >= before + 2);
}

test('agents and threads are counted once each, whatever a flag says, and are 0 when they have gone', async () => {
  using sandbox = new Sandbox();
  const flags = join(sandbox.dir, 'flags.json');
  const set = (variant: string) => {
    const flag = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: variant };
    writeFileSync(flags, JSON.stringify({ flags: { 'taut.optimize-timer-slack': flag } }));
  };
  set('off');
  await using agent = await sleeper(sandbox);
  await using second = await sleeper(sandbox);
  await tell(agent, 'thread');
  await using taut = await sandbox.watch('--flags', flags);
  const agents = () => last(sandbox, 'taut.agent.count', 'taut.tuned').by;
  const threads = () => last(sandbox, 'taut.thread.count', 'taut.knob', 'taut.thread.state').by;
  const threadsAre = (original: number, tuned: number) => ({
    'timer_slack_ns original': original,
    'timer_slack_ns tuned': tuned,
    'timer_slack_ns drifted': 0,
    'timer_slack_ns exempt': 0,
    // The flags say nothing about the other knobs, and of tools there are none.
    'sched_slice_ns original': original + tuned,
    'sched_slice_ns tuned': 0,
    'sched_slice_ns drifted': 0,
    'sched_slice_ns exempt': 0,
    'tool_priority original': 0,
    'tool_priority tuned': 0,
    'tool_priority drifted': 0,
    'tool_priority exempt': 0,
  });
  await nextExport(sandbox);
  expect(agents()).toEqual({ false: 2 });
  expect(threads()).toEqual(threadsAre(3, 0));
  for (const [variant, tuned] of [
    ['on', true],
    ['off', false],
    ['on', true],
  ] as const) {
    set(variant);
    await until(`${variant} is in force`, () =>
      [agent, second].every((a) => slacks(a.pid)[0] === (tuned ? 1 : 50_000)),
    );
    await nextExport(sandbox);
    expect(agents()).toEqual({ true: tuned ? 2 : 0, false: tuned ? 0 : 2 });
    expect(threads()).toEqual(tuned ? threadsAre(0, 3) : threadsAre(3, 0));
  }
  await second.stop();
  await taut.line(new RegExp(`\\(${second.pid}\\) has ended`));
  await nextExport(sandbox);
  expect(agents()).toEqual({ true: 1, false: 0 });
  expect(threads()).toEqual(threadsAre(0, 2));
  await agent.stop();
  await taut.line(new RegExp(`\\(${agent.pid}\\) has ended`));
  await nextExport(sandbox);
  expect(agents()).toEqual({ true: 0, false: 0 });
  expect(threads()).toEqual(threadsAre(0, 0));
  expect(last(sandbox, 'taut.agent.count').metric).toMatchObject({ unit: '{agent}', sum: { isMonotonic: false } });
  expect(last(sandbox, 'taut.thread.count').metric).toMatchObject({ unit: '{thread}', sum: { isMonotonic: false } });
  expect(await taut.stop()).toBe(0);
});

test('in mode schedstat, the sums of an agent are in one export after its end, and in no later one', async () => {
  using sandbox = new Sandbox({ TAUT_WITHOUT: 'bpf' });
  await using taut = await sandbox.watch();
  const pids: number[] = [];
  for (let n = 0; n < 3; n++) {
    await using agent = await sleeper(sandbox);
    await taut.line(new RegExp(`attached to .*\\(${agent.pid}\\)`));
    await tell(agent, 'sleep 50 500');
    // Until it was read: what a thread has waited since the last look is gone with it.
    await nextExport(sandbox);
    await agent.stop();
    await taut.line(new RegExp(`\\(${agent.pid}\\) has ended`));
    pids.push(agent.pid);
  }
  await nextExport(sandbox);
  for (const name of ['taut.run_queue.time', 'taut.run_queue.timeslices'])
    expect(last(sandbox, name, 'process.pid').by).toEqual({});
  await taut.stop();
  const everSeen = exportsOf(sandbox).flatMap((one) => metricsOf([one], 'taut.run_queue.timeslices'));
  for (const pid of pids) {
    const counted = everSeen.flatMap(({ sum }) =>
      (sum?.dataPoints ?? [])
        .filter(({ attributes }) => values(attributes)['process.pid'] === pid)
        .map(({ asDouble, asInt }) => Number(asDouble ?? asInt)),
    );
    expect(Math.max(...counted)).toBeGreaterThanOrEqual(50);
  }
});
