/** A thread that keeps time by itself, and the tracer: they agree about it, or taut says that they do not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { Canary, type CanaryFinding } from '../../src/tracer/canary.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { ofThreads, Program, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

/** So many windows of about 25 wakeups each. */
async function windows(tracer: Tracer, n: number): Promise<(CanaryFinding | undefined)[]> {
  using canary = new Canary(tracer, 20);
  await canary.compare();
  const found: (CanaryFinding | undefined)[] = [];
  for (let i = 0; i < n; i++) {
    await setTimeout(500);
    found.push(await canary.compare());
  }
  return found;
}

const disagreements = (found: readonly (CanaryFinding | undefined)[]) =>
  found.filter((finding) => finding?.disagreement !== undefined);

/** Two windows in a row are what the daemon believes. */
const believed = (found: readonly (CanaryFinding | undefined)[]) =>
  found.some((finding, i) => i > 0 && finding?.disagreement !== undefined && found[i - 1]?.disagreement !== undefined);

test('the tracer agrees with it about every wakeup, and about how late they were', async () => {
  using tracer = new Tracer();
  const found = await windows(tracer, 8);
  for (const finding of found) expect(finding?.wakes).toBeGreaterThan(8);
  expect(believed(found), JSON.stringify(disagreements(found))).toBe(false);
  expect(disagreements(found).length, JSON.stringify(disagreements(found))).toBeLessThanOrEqual(1);
});

test('and does so beside busy neighbours, while agents come and go and wakeups are sampled', async () => {
  using tracer = new Tracer();
  await using first = new Program('sh', ['-c', 'while :; do :; done']);
  await using second = new Program('sh', ['-c', 'while :; do :; done']);
  await using storm = new Program('python3', [join(FIXTURES, 'storm.py'), 'load']);
  await storm.line(/^ready/);
  tracer.attach({ pid: storm.pid, name: 'storm', createdAtMs: 0 });
  tracer.attach({ pid: first.pid, name: 'busy', createdAtMs: 0 });
  tracer.attach({ pid: second.pid, name: 'busy', createdAtMs: 0 });
  tracer.shed({ detail: false, factor: 8 });
  storm.say('threads 100000');
  const found = await windows(tracer, 8);
  expect(believed(found), JSON.stringify(disagreements(found))).toBe(false);
  expect(tracer.counters().get('discard_sampled')).toBeGreaterThan(0);
});

test.each(['on_timer_expire', 'on_waking', 'on_wakeup', 'on_switch'])(
  'a tracer without %s is found out in the first window',
  async (program) => {
    using tracer = new Tracer({ without: new Set([program]) });
    const [found] = await windows(tracer, 1);
    expect(found?.disagreement).toMatch(/^of \d+ wakeups of its own thread the tracer counted 0/);
  },
);

test('a daemon whose tracer is broken says so: once, in its status, as a metric and as an event', async () => {
  using sandbox = new Sandbox({ TAUT_WITHOUT: 'on_switch' });
  await using _agent = await sleeper(sandbox);
  await using taut = await sandbox.watch();
  await taut.line(/degraded/, 60_000);
  const { tracer } = await sandbox.json<StatusDocument>('status');
  expect(tracer).toMatchObject({ mode: 'full', state: 'degraded' });
  expect(tracer?.reason).toMatch(/its own thread/);
  await taut.stop();
  expect(taut.errors.filter((line) => /degraded/.test(line))).toHaveLength(1);
  expect(sandbox.lastSums('taut.tracer.degraded')).toMatchObject([
    { value: 1, attributes: { 'taut.tracer.mode': 'full' } },
  ]);
  const logs = readFileSync(join(sandbox.stateDir, 'otlp/logs.jsonl'), 'utf8');
  expect([...logs.matchAll(/"eventName":"taut\.tracer_degraded"/g)]).toHaveLength(1);
});

test("a daemon whose tracer is in order exports its canary's latency, at next to no cost", async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch();
  const canaries = () =>
    ofThreads(taut.pid, 'comm')
      .filter(({ text }) => text.trim() === 'taut-canary')
      .map(({ tid }) => tid);
  await until('there is a canary', () => canaries().length === 1);
  const [canary] = canaries();
  const used = () => Number(readFileSync(`/proc/${taut.pid}/task/${canary}/schedstat`, 'latin1').split(' ')[0]);
  const from = [used(), performance.now()] as const;
  await setTimeout(12_000);
  const cores = (used() - from[0]) / 1e6 / (performance.now() - from[1]);
  process.stderr.write(`the canary's own thread uses ${(100 * cores).toFixed(4)}% of a core\n`);
  expect(cores).toBeLessThan(0.01);
  expect((await sandbox.json<StatusDocument>('status')).tracer).toMatchObject({ state: 'ok', reason: null });
  await agent.stop('SIGKILL');
  await until('nobody is measured, and no canary keeps the tracer in the way', () => canaries().length === 0);
  await taut.stop();
  expect(taut.errors.filter((line) => /degraded/.test(line))).toEqual([]);
  expect(sandbox.lastSums('taut.tracer.degraded')).toMatchObject([{ value: 0 }]);
  expect(sandbox.lastCount('taut.canary.latency')).toBeGreaterThan(20);
});

test('doctor runs it shortly, and does not call a tracer good that it disagrees with', async () => {
  using sandbox = new Sandbox({ TAUT_WITHOUT: 'on_wakeup' });
  await using program = sandbox.taut('doctor', '--json');
  expect(await program.ended).toBe(3);
  const { measure, checks } = JSON.parse(program.lines.join('\n')) as {
    measure: boolean;
    checks: { name: string; ok: boolean; detail: string }[];
  };
  expect(measure).toBe(false);
  expect(checks.find(({ name }) => name === 'canary')).toMatchObject({
    ok: false,
    detail: expect.stringContaining('degraded'),
  });
});
