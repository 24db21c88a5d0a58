/**
 * From the exec that makes a process an agent to all of its threads read back, beside a poller of /proc in the same
 * run. Prints what it measured; asserts only that everything was found.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Program, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

const RUNS = 200;
const POLL_MS = 100;

/** Microseconds. */
function report(what: string, us: readonly number[]): void {
  const sorted = us.toSorted((a, b) => a - b);
  const at = (q: number) =>
    `${((sorted[Math.floor(q * (sorted.length - 1))] ?? 0) / 1_000).toFixed(2)} ms`.padStart(10);
  process.stderr.write(
    `${what.padEnd(34)} n ${String(us.length).padStart(4)}  p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}\n`,
  );
}

/** What a tool without the kernel's events would do: every process's command line, again and again. */
class Poller implements AsyncDisposable {
  /** When each was found, nanoseconds of CLOCK_MONOTONIC. */
  readonly found = new Map<number, bigint>();
  readonly #name: string;
  readonly #starter: number;
  #done = false;
  readonly #loop: Promise<void>;

  constructor(name: string, starter: number) {
    this.#name = name;
    this.#starter = starter;
    this.#loop = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#done) {
      for (const entry of readdirSync('/proc')) if (/^\d+$/.test(entry)) this.#look(Number(entry));
      await setTimeout(POLL_MS);
    }
  }

  #look(pid: number): void {
    if (this.found.has(pid) || pid === this.#starter) return;
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(this.#name)) return;
      for (const tid of readdirSync(`/proc/${pid}/task`)) {
        writeFileSync(`/proc/${tid}/timerslack_ns`, '1');
        readFileSync(`/proc/${tid}/timerslack_ns`);
      }
      this.found.set(pid, process.hrtime.bigint());
    } catch {
      // gone
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#done = true;
    await this.#loop;
  }
}

/** Starts the agents, and says when each was. */
async function started(starter: Program): Promise<Map<number, bigint>> {
  await until('all are started', () => starter.lines.includes('done'));
  const lines = starter.lines.filter((line) => line !== 'done').map((line) => line.split(' '));
  return new Map(lines.map(([pid, at = '0']) => [Number(pid), BigInt(at)]));
}

const starter = (name: string) => new Program('python3', [join(FIXTURES, 'starter.py'), name, String(RUNS)]);
const LINE = /\((\d+)\): heard in (\d+) us, decided in (\d+) us, placed in (\d+) us, settled in (\d+) us; (\d+) us/;

test('attach latency', async () => {
  // Exported as often as by default: the tests' every second would show in the 99th percentile.
  using sandbox = new Sandbox({ OTEL_METRIC_EXPORT_INTERVAL: undefined });
  await using taut = await sandbox.watch('--optimize-timer-slack', '--log-level', 'debug');
  {
    await using agents = starter(sandbox.mark);
    const pids = await started(agents);
    const times = () =>
      taut.errors.flatMap((line) => {
        const [, pid, ...us] = (LINE.exec(line) ?? []).map(Number);
        return pid !== undefined && pids.has(pid) ? [us] : [];
      });
    await until('all are attached', () => times().length >= RUNS);
    const column = (i: number) => times().map((us) => us[i] ?? Number.NaN);
    report('taut: exec to every thread verified', column(4));
    report('  exec event heard by taut', column(0));
    report('  /proc read, rules matched', column(1));
    report('  given a place in the tracer', column(2));
    report('  on record, written, read back', column(3));
    expect(times()).toHaveLength(RUNS);
    await taut.stop();
  }

  const name = `${sandbox.mark}-polled`;
  await using agents = starter(name);
  await using poller = new Poller(name, agents.pid);
  const at = await started(agents);
  await until('the poller has found all', () => poller.found.size >= RUNS);
  const polled = [...poller.found].map(([pid, foundAt]) => Number(foundAt - (at.get(pid) ?? foundAt)) / 1_000);
  report(`a poller of /proc, every ${POLL_MS} ms`, polled);
});
