/**
 * What it costs to export the series of a thousand agents: CPU time, bytes, memory, and how long the event loop is
 * blocked, beside the same data in the SDK's own instruments with its own exporter. Here, unlike in tests, a time is
 * asserted: it is what was promised. How long the kernel's counts take to read is in `scale.test.ts`.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { seriesAttributes } from '../../otel/producer.ts';
import { startTelemetry } from '../../otel/sdk.ts';
import type { AgentSnapshot, ExpHistogram, Series } from '../../src/tracer/series.ts';
import { Program } from '../support/program.ts';

const AGENTS = 1_000;
/** In use of each series: as of an agent that sleeps, works and waits beside others. */
const BUCKETS = 40;
const CYCLES = 5;
const BLOCKED_MS = 20;
const NEVER_MS = 3_600_000;

const SERIES: readonly Omit<Series, 'histogram'>[] = [
  ...(['timer.lateness', 'timer.slack_use', 'timer.overrun'] as const).flatMap((quantity) =>
    (['reachable', 'beyond'] as const).map((slackClass) => ({ quantity, source: undefined, slackClass, tuned: false })),
  ),
  ...(['wakeup.latency', 'wakeup.hand_over', 'wakeup.run_queue_delay'] as const).flatMap((quantity) =>
    (['timer', 'other'] as const).map((source) => ({ quantity, source, slackClass: undefined, tuned: false })),
  ),
];

/** Counts after so many cycles. */
function histogram(cycle: number): ExpHistogram {
  const buckets = Array<number>(BUCKETS).fill(1_000 * cycle);
  const count = 1_000 * cycle * BUCKETS;
  return { scale: 3, offset: -160, buckets, zeroCount: 0, count, sumNs: BigInt(count) * 1_000n, minNs: 1n, maxNs: 9n };
}

/** Made when it is read, as the tracer does. */
function* snapshots(cycle: number): Generator<AgentSnapshot> {
  for (let pid = 1; pid <= AGENTS; pid++)
    yield {
      ...{ pid, name: 'claude-code', createdAtMs: pid, attachedAtMs: 1_790_000_000_000 },
      series: SERIES.map((one) => ({ ...one, histogram: histogram(cycle) })),
    };
}

interface Arm extends AsyncDisposable {
  /** Makes the data of a cycle, where that is not done by collecting. */
  readonly prepare: (cycle: number) => void;
  readonly cycle: () => Promise<void>;
}

async function taut(): Promise<Arm> {
  let now = 0;
  const none = { canaryLatency: () => undefined, runQueueTimes: () => [], exported: () => {}, mode: () => 'full' };
  const telemetry = await startTelemetry({
    env: {
      ...process.env,
      ...{ OTEL_METRIC_EXPORT_INTERVAL: String(NEVER_MS), OTEL_TRACES_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' },
    },
    ...{ stateDir: join(tmpdir(), 'none'), sinkProblem: undefined, spoolLimit: 0, spoolProblem: undefined },
    serviceVersion: '0',
    measured: { snapshots: () => snapshots(now), ...none },
    onWarning: (message) => void process.stderr.write(`${message}\n`),
  });
  return {
    prepare: (cycle) => {
      now = cycle;
    },
    cycle: () => telemetry.flush(NEVER_MS),
    [Symbol.asyncDispose]: () => telemetry.shutdown(NEVER_MS),
  };
}

async function sdk(): Promise<Arm> {
  const reader = new PeriodicExportingMetricReader({
    ...{ exporter: new OTLPMetricExporter(), exportIntervalMillis: NEVER_MS, cardinalityLimits: { default: 1e6 } },
  });
  const aggregation = { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: BUCKETS } } as const;
  const provider = new MeterProvider({ readers: [reader], views: [{ instrumentName: '*', aggregation }] });
  const meter = provider.getMeter('bench');
  const instruments = new Map(SERIES.map(({ quantity }) => [quantity, meter.createHistogram(quantity, { unit: 's' })]));
  return {
    prepare: (cycle) => {
      for (const agent of snapshots(cycle))
        for (const series of agent.series) {
          const by = seriesAttributes(agent, series, 'full');
          const instrument = instruments.get(series.quantity);
          for (let bucket = 0; bucket < BUCKETS; bucket++) instrument?.record(2 ** ((bucket - 159.5) / 8), by);
        }
    },
    cycle: () => provider.forceFlush(),
    [Symbol.asyncDispose]: () => provider.shutdown(),
  };
}

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

function heap(): number {
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

interface Cost {
  readonly cpuMs: number;
  readonly blockedMs: number;
  readonly mib: number;
  readonly heldMib: number;
}

/** CPU time of this process, and of this thread alone: milliseconds. */
const cpuMs = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1_000;

/** The longest time, of the thread's own CPU time, for which nothing else got its turn: what others take is not counted. */
async function longestBlock(work: () => Promise<void>): Promise<number> {
  let [isOver, longest] = [false, 0];
  let last = cpuMs(process.threadCpuUsage());
  const look = () => {
    const now = cpuMs(process.threadCpuUsage());
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await work();
  isOver = true;
  look();
  return longest;
}

async function measure(name: string, make: () => Promise<Arm>, sent: () => Promise<number>): Promise<Cost> {
  const before = heap();
  await using arm = await make();
  const [cpu, blocked, bytes]: [number[], number[], number[]] = [[], [], []];
  for (let cycle = 1; cycle <= CYCLES; cycle++) {
    arm.prepare(cycle);
    gc();
    const from = process.cpuUsage();
    await arm.cycle();
    cpu.push(cpuMs(process.cpuUsage(from)));
    bytes.push(await sent());
    arm.prepare(cycle);
    gc();
    blocked.push(await longestBlock(arm.cycle));
    await sent();
  }
  const cost = {
    ...{ cpuMs: median(cpu), blockedMs: median(blocked), mib: median(bytes) / 2 ** 20, heldMib: heap() - before },
  };
  const figures = [
    `CPU ${cost.cpuMs.toFixed(0)} ms`,
    `longest block ${cost.blockedMs.toFixed(1)} ms`,
    `${cost.mib.toFixed(2)} MiB sent`,
    `${cost.heldMib.toFixed(0)} MiB held`,
  ];
  process.stderr.write(`${name.padEnd(28)}${figures.map((figure) => figure.padStart(24)).join('')}\n`);
  return cost;
}

test('a cycle of a thousand agents, beside the same in instruments of the SDK', async () => {
  await using backend = new Program(process.execPath, [join(import.meta.dirname, 'countBytes.mjs')]);
  const port = (await backend.line(/^port/)).split(' ')[1];
  const url = `http://127.0.0.1:${port}`;
  const sent = async () => Number(await (await fetch(url)).text());
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = url;
  process.stderr.write(`one cycle of ${AGENTS} agents, ${AGENTS * SERIES.length} series (medians of ${CYCLES})\n`);
  const over = async (protocol: string) => {
    process.env['OTEL_EXPORTER_OTLP_PROTOCOL'] = protocol;
    return measure(`taut, ${protocol}`, taut, sent);
  };
  const own = [await over('http/json'), await over('http/protobuf')];
  const other = await measure('instruments, http/json', sdk, sent);
  for (const { cpuMs, blockedMs } of own) {
    expect(blockedMs).toBeLessThan(BLOCKED_MS);
    expect(cpuMs).toBeLessThan(2 * other.cpuMs);
  }
});
