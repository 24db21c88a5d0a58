/** How often the guardrail finds harm where there is none, on this machine, with load beside it that comes and goes. */

import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  type Reading,
  readingOf,
  type Values,
  valuesOfAgent,
  valuesOfHost,
} from '../../src/agents/guardrailMeasures.ts';
import { BLOCKS } from '../../src/agents/guardrailTrial.ts';
import type { Measure } from '../../src/config/guardrail.ts';
import { evidenceOfHarm, WINDOWS } from '../../src/gate/harmTest.ts';
import { readHostLoad } from '../../src/proc/hostLoad.ts';
import { parseCpuSeconds } from '../../src/proc/stat.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { Program } from '../support/program.ts';
import { FIXTURES } from '../support/taut.ts';

const ERROR_RATE = 0.01;
const TRIALS = 2;
const WINDOW_MS = 150;
/** Sequences of lots that each trial might have had. */
const LOTS = 500;

const AGENT: readonly Measure[] = ['runQueueDelay', 'wakeupLatency', 'cpu'];
const HOST: readonly Measure[] = ['contextSwitches', 'interrupts', 'hostRunQueueDelay', 'cpuPressure'];

const python = async (...args: string[]) => {
  const program = new Program('python3', [`${FIXTURES}/noisy.py`, ...args]);
  await program.line(/^ready/);
  return program;
};

/** Windows of the agents, and of the host: in all of them everything is as it was. */
async function watch(tracer: Tracer, pids: readonly number[]): Promise<{ agents: Values[][]; host: Values[] }> {
  const read = (pid: number): Reading =>
    readingOf(performance.now(), parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'latin1')), tracer.snapshot(pid));
  const readHost = () => ({ ...readHostLoad(), atMs: performance.now() });
  const [agents, host]: [Values[][], Values[]] = [pids.map(() => []), []];
  let [before, hostBefore] = [pids.map(read), readHost()];
  for (let i = 0; i < TRIALS * BLOCKS * WINDOWS; i++) {
    await setTimeout(WINDOW_MS);
    const [now, hostNow] = [pids.map(read), readHost()];
    for (const [k, reading] of now.entries()) agents[k]?.push(valuesOfAgent(before[k] ?? reading, reading));
    host.push(valuesOfHost(hostBefore, hostNow));
    [before, hostBefore] = [now, hostNow];
  }
  return { agents, host };
}

/** Whether a trial of these windows finds harm with lots that are drawn now, where nothing more is allowed than was found. */
function finds(windows: readonly Values[], measures: readonly Measure[]): boolean {
  const lots = Array.from({ length: BLOCKS }, () => Math.floor(Math.random() * WINDOWS));
  return measures.some((measure) => {
    const blocks = lots.flatMap((lot, i) => {
      const values = windows.slice(i * WINDOWS, (i + 1) * WINDOWS).flatMap((window) => window[measure] ?? []);
      const held = values[lot];
      return held === undefined || values.length < WINDOWS ? [] : [{ held, tuned: values.toSpliced(lot, 1) }];
    });
    return blocks.some(
      (_, i) => evidenceOfHarm(blocks.slice(0, i + 1), (found) => found) >= measures.length / ERROR_RATE,
    );
  });
}

test(`of trials of ${TRIALS * BLOCKS * WINDOWS} windows in which nothing was tuned, no more find harm than the error rate says`, async () => {
  using tracer = new Tracer();
  await using beside = await python('load');
  await using first = await python();
  await using second = await python();
  const pids = [beside.pid, first.pid, second.pid];
  for (const [i, pid] of pids.entries()) tracer.attach({ pid, name: `noisy-${i}`, createdAtMs: 0 });
  const { agents, host } = await watch(tracer, pids);
  const delays = agents
    .flatMap((windows) => windows.flatMap(({ runQueueDelay }) => runQueueDelay ?? []))
    .sort((a, b) => a - b);
  const at = (q: number) => `${(1e3 * (delays[Math.floor(q * (delays.length - 1))] ?? Number.NaN)).toFixed(2)} ms`;
  console.log(`run-queue delay (p99) of ${delays.length} windows: ${at(0)}, ${at(0.5)} in the middle, up to ${at(1)}`);
  expect(delays.length).toBeGreaterThan(0.9 * pids.length * host.length);
  for (const [whose, all, measures] of [
    ['agents', agents, AGENT],
    ['host', [host], HOST],
  ] as const) {
    const trials = all.flatMap((windows) =>
      Array.from({ length: TRIALS }, (_, i) => windows.slice(i * BLOCKS * WINDOWS, (i + 1) * BLOCKS * WINDOWS)),
    );
    const found = trials.flatMap((windows) => Array.from({ length: LOTS }, () => finds(windows, measures)));
    const wrong = found.filter(Boolean).length;
    console.log(`A/A, ${whose}: ${wrong} of ${found.length} trials found harm; the stated rate is ${ERROR_RATE}`);
    expect(wrong / found.length).toBeLessThanOrEqual(ERROR_RATE);
  }
});
