/** A roll-out to half of the agents, as a real Prometheus has it and `taut rollout` reads it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentStatus, StatusDocument } from '../../src/agents/status.ts';
import { tell } from '../support/conversation.ts';
import { outcome, Program, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';
import { type Backends, startBackends } from './services.ts';

/** Agents in each arm: as many as an interval needs. */
const ENOUGH = 8;
const SLEEPS = 60;

/** Half of the agents by their targeting key, as flagd does it. */
const HALF = {
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  targeting: {
    fractional: [
      ['on', 50],
      ['off', 50],
    ],
  },
};

interface Document {
  readonly arms: readonly { readonly variant: string; readonly agents: number; readonly wakeups: number }[];
  readonly differences: readonly {
    readonly variant: string;
    readonly latenessP50: { readonly value: number; readonly verdict: string };
  }[];
}

function rollout({ prometheus }: Backends, ...options: readonly string[]) {
  return outcome(new Program(LAUNCHER, ['rollout', '--prometheus', prometheus, ...options]));
}

test('half of the agents are tuned, and taut rollout tells how much sooner they are woken', async () => {
  await using backends = await startBackends();
  using sandbox = new Sandbox({ OTEL_EXPORTER_OTLP_ENDPOINT: backends.otlp });
  const flags = join(sandbox.dir, 'flags.json');
  writeFileSync(flags, JSON.stringify({ flags: { 'taut.optimize-timer-slack': HALF } }));
  await using taut = await sandbox.watch('--flags', flags);
  await using stack = new AsyncDisposableStack();
  const agents: Program[] = [];
  const arms = async () => {
    const all = (await sandbox.json<StatusDocument>('status')).agents;
    return Map.groupBy(all, ({ target }: AgentStatus) => (target === null ? 'off' : 'on') as string);
  };
  const sizes = (of: Awaited<ReturnType<typeof arms>>) => ['off', 'on'].map((arm) => of.get(arm)?.length ?? 0);
  let of = await arms();
  while (Math.min(...sizes(of)) < ENOUGH) {
    for (let n = 0; n < ENOUGH; n++) agents.push(stack.use(await sleeper(sandbox)));
    await until('every agent is there', async () => {
      of = await arms();
      return [...of.values()].flat().length === agents.length;
    });
  }
  for (const agent of agents) await tell(agent, `sleep ${SLEEPS} 700`);
  await taut.stop();

  const ask = (...options: string[]) => rollout(backends, '--since', '10m', ...options);
  // The collector answers taut before it has handed on the last export.
  let last: Document | undefined;
  await until('Prometheus has what tells the arms apart', async () => {
    const { out } = await ask('--json');
    last = out === '' ? undefined : JSON.parse(out);
    const counted = last?.arms.reduce((sum, arm) => sum + arm.agents, 0);
    return counted === agents.length && last?.differences[0]?.latenessP50.verdict === 'less';
  });
  expect(last).toMatchObject({ flag: 'taut.optimize-timer-slack', unit: 'agent', hosts: 1, histograms: 'native' });
  expect(last?.arms.map((arm) => arm.agents)).toEqual(sizes(of));
  const { code, out } = await ask();
  expect(code).toBe(0);
  expect(out).toMatch(/^ {2}timers late, p50: [\d.]+ us less \([\d.]+ us to [\d.]+ us\)$/m);

  const none = await ask('--flag', 'taut.no-such-flag');
  expect([none.code, none.err]).toEqual([
    1,
    expect.stringMatching(/no agent that the flag taut\.no-such-flag decided on/),
  ]);
});

/** What an agent has counted by a time, in buckets up to 10 us, 50 us, 100 us, 1 ms and beyond. */
interface Counted {
  readonly host: number;
  readonly pid: number;
  readonly variant: string;
  readonly buckets: readonly number[];
}

/** As a pipeline hands it on that has made classic histograms of taut's. @param ago seconds */
async function push({ prometheus }: Backends, all: readonly Counted[], ago: number): Promise<void> {
  const timeUnixNano = `${Date.now() - 1_000 * ago}000000`;
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const metric = (name: string, { pid, variant, buckets }: Counted) => ({
    name,
    unit: 's',
    histogram: {
      aggregationTemporality: 2,
      dataPoints: [
        {
          timeUnixNano,
          count: String(buckets.reduce((sum, n) => sum + n, 0)),
          sum: 1,
          bucketCounts: buckets.map(String),
          explicitBounds: [1e-5, 5e-5, 1e-4, 1e-3],
          attributes: [
            { key: 'process.pid', value: { intValue: String(pid) } },
            ...[text('process.creation.time', 'then'), text('taut.timer.slack_class', 'reachable')],
            ...[text('feature_flag.key', 'taut.optimize'), text('feature_flag.result.variant', variant)],
          ],
        },
      ],
    },
  });
  const resourceMetrics = all.map((one) => ({
    resource: {
      attributes: [
        ...[text('service.name', 'taut'), text('service.instance.id', `taut-${one.host}`)],
        text('host.name', `host-${one.host}`),
      ],
    },
    scopeMetrics: [
      { metrics: ['taut.timer.lateness', 'taut.wakeup.run_queue_delay'].map((name) => metric(name, one)) },
    ],
  }));
  const { ok, status } = await fetch(`${prometheus}/api/v1/otlp/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceMetrics }),
  });
  expect(ok, String(status)).toBe(true);
}

test('what was counted before the time, and by agents that were gone by then, is left out; of classic histograms, over hosts', async () => {
  await using backends = await startBackends();
  const hosts = Array.from({ length: 12 }, (_, host) => host);
  const [off, on] = [
    { pid: 1, variant: 'off' },
    { pid: 2, variant: 'on' },
  ];
  const before = [0, 0, 0, 0, 1_000];
  const old = hosts.flatMap((host) => [off, on].map((one) => ({ host, ...one, buckets: before })));
  await push(backends, [...old, { host: 1, pid: 3, variant: 'off', buckets: before }], 600);
  const now = hosts.flatMap((host) => [
    { host, ...off, buckets: [0, 0, 100, 0, 1_000] },
    { host, ...on, buckets: [0, 100, 0, 0, 1_000] },
  ]);
  await push(backends, [...now, { host: 0, pid: 4, variant: 'on', buckets: [0, 100, 0, 0, 0] }], 1);
  const { code, out, err } = await rollout(backends, '--since', '5m', '--json');
  expect(code, err).toBe(0);
  const { arms, differences, ...about } = JSON.parse(out) as Document;
  expect(about).toMatchObject({ flag: 'taut.optimize', unit: 'host', hosts: 12, histograms: 'classic' });
  expect(arms).toMatchObject([
    { variant: 'off', agents: 12, wakeups: 1_200 },
    { variant: 'on', agents: 13, wakeups: 1_300 },
  ]);
  // Halves of both buckets on a logarithmic scale.
  expect(differences[0]?.latenessP50.value).toBeCloseTo(Math.sqrt(1e-5 * 5e-5) - Math.sqrt(5e-5 * 1e-4), 9);
  expect(differences[0]?.latenessP50.verdict).toBe('less');
});
