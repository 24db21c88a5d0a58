/** Ways of measuring that `tracer.test.ts` compares, each with a switch that takes a millisecond, or as a process beside. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type addon, check, type NativeBpfObject, packageRoot } from '../../src/native.ts';
import type * as Programs from '../../src/tracer/programs.ts';
import { Program } from '../support/program.ts';

/** A load (`turns.c`), and the processes that it consists of. */
export interface Load {
  readonly program: Program;
  readonly pids: readonly number[];
}

/** Programs that are loaded once, and attached for each turn: all that taut attaches, or a part of it. */
export interface Loaded extends Disposable {
  readonly object: NativeBpfObject;
  readonly programs: readonly string[];
  /** Wakeups that were recorded so far. */
  recorded(): number;
}

/** Another tool: it runs beside, on another CPU, for as long as it is measured. */
export interface Tool {
  readonly name: string;
  start(): Promise<AsyncDisposable>;
}

const SETTLE_MS = 1_000;

const RUN_QUEUE = `
tracepoint:sched:sched_wakeup, tracepoint:sched:sched_wakeup_new { @queued[args->pid] = nsecs; }
tracepoint:sched:sched_switch {
  if (args->prev_state == 0) { @queued[args->prev_pid] = nsecs; }
  $from = @queued[args->next_pid];
  if ($from) { @us = hist((nsecs - $from) / 1000); }
  delete(@queued[args->next_pid]);
}`;

/** It needs tracefs, which is not mounted everywhere: for it alone, then. */
const BPFTRACE =
  '[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing; exec bpftrace -e "$0"';

/** @param ready the line that says that it measures. */
function away(name: string, command: string, args: readonly string[], ready?: RegExp): Tool {
  return {
    name,
    start: async () => {
      const tool = new Program('taskset', ['-c', '0', command, ...args]);
      if (ready) await tool.line(ready);
      await setTimeout(SETTLE_MS);
      return tool;
    },
  };
}

export const TOOLS: readonly Tool[] = [
  away('runqlat (libbpf-tools)', 'runqlat', ['1000']),
  away('bpftrace, run queue alone', 'unshare', ['-m', 'sh', '-c', BPFTRACE, RUN_QUEUE], /Attach/),
];

/** Programs that do nothing, on all tracepoints of the tracer's. */
export function emptyPrograms(): Loaded {
  const { object } = open(packageRoot(), 'empty');
  check(object.load(), 'load');
  const source = readFileSync(join(packageRoot(), 'native/bpf/empty.bpf.c'), 'utf8');
  const programs = [...source.matchAll(/^NOTHING\((\w+)\)/gm)].map(([, name]) => `on_${name}`);
  return { object, programs, recorded: () => 0, [Symbol.dispose]: () => object.close() };
}

/** The tracer's programs by name, as a checkout has them. */
export async function programsOf(checkout: string): Promise<string[]> {
  const { LIFE, WAKEUP } = (await import(join(checkout, 'src/tracer/programs.ts'))) as typeof Programs;
  return [...LIFE, ...WAKEUP];
}

/**
 * The tracer's programs as the checkout has built them, its addon included: of another one, the layout may differ.
 * @param agent the load whose threads are an agent's; undefined: nobody's are.
 */
export function tracer(checkout: string, agent: Load | undefined, programs: readonly string[]): Loaded {
  const { object, built } = open(checkout, 'taut');
  const wakeups = new built.WakeupTracer(object);
  check(wakeups.load(false), 'load');
  for (const [i, pid] of (agent?.pids ?? []).entries()) {
    check(wakeups.addAgent(pid, i + 1), 'add an agent');
    check(wakeups.visitThreads(built.layout.visit.attach, pid, i + 1, 0, 0, 0), 'attach the threads');
  }
  const at = built.layout.counters.indexOf('wakeup_recorded');
  return {
    object,
    programs,
    recorded: () => check(wakeups.readCounters(), 'read the counters')[at] ?? 0,
    [Symbol.dispose]: () => {
      wakeups.close();
      object.close();
    },
  };
}

function open(checkout: string, name: 'taut' | 'empty') {
  const path = join(checkout, 'build/Release/taut.node');
  const built = createRequire(import.meta.url)(path) as ReturnType<typeof addon>;
  const object = new built.BpfObject();
  check(object.open(join(checkout, `build/${name}.bpf.o`)), 'open');
  return { object, built };
}
