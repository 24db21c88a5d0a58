/**
 * What this kernel can measure, and how kernels differ. taut tries each feature and does not compare versions, because
 * distributions backport features and leave them out. Only this file names kernel differences.
 */

import { readFileSync } from 'node:fs';
import { version } from 'node:os';

/**
 * How much can be measured. `full`: the whole chain of a wakeup. `wakeups`: the chain without its timer part.
 * `schedstat`: no eBPF, only how long each thread has waited for a CPU in total. `none`: nothing; agents are still
 * found and tuned.
 */
export type Mode = 'full' | 'wakeups' | 'schedstat' | 'none';

interface Difference {
  readonly what: string;
  /** The kernel commit that introduced it, and the first release with it. */
  readonly commit: string;
  readonly since: string;
  /** What libbpf or the verifier say on a kernel without it. */
  readonly lackSaid?: RegExp;
}

const DIFFERENCES: readonly Difference[] = [
  // The tracer needs all of these.
  { what: 'BTF tracepoints', commit: '9e15db66136a', since: '5.5', lackSaid: /failed to find kernel BTF type ID of/ },
  {
    what: 'the BPF ring buffer',
    commit: '457f44363a88',
    since: '5.8',
    lackSaid: /map '(execs|births|renames)': failed to create/,
  },
  {
    what: 'task storage for tracing programs',
    commit: 'a10787e6d58c',
    since: '5.13',
    lackSaid:
      /(?:unknown func|cannot use helper) bpf_task_storage_(?:get|delete)#|map '(threads|descendants)': failed to create/,
  },
  {
    what: 'BPF programs with atomic operations that fetch, on arm64',
    commit: '1902472b4fa9',
    since: '5.18',
    lackSaid: /program load failed: unknown error (?:\(-)?524/i,
  },
  // The programs work with and without these (native/bpf says where): a renamed field, an argument that is not read.
  { what: 'task_struct.__state, before it state', commit: '2f064a59a11f', since: '5.14' },
  { what: "sched_switch's argument prev_state: not read", commit: 'fa2c3254d7cf', since: '5.18' },
  { what: 'the task iterator of one process; before it all are walked', commit: 'f0d74c4da1f0', since: '6.1' },
];

/** The difference that made a load fail, found in libbpf's log; undefined when the reason is not a known difference. */
export function differenceBehind(log: string): string | undefined {
  const behind = DIFFERENCES.find(({ lackSaid }) => lackSaid?.test(log));
  return behind && `this kernel has not got ${behind.what} (Linux ${behind.since}, commit ${behind.commit})`;
}

/** Read where it is mounted: the kernel's lockdown mode stands in brackets. */
const LOCKDOWN = '/sys/kernel/security/lockdown';
/** What the verifier says then of every program that reads the kernel's memory, and libbpf of those that read a process's. */
const REFUSED_READ = /(?:unknown func|cannot use helper) bpf_probe_read/;

/** Whether the kernel forbids to read its memory. @param log libbpf's, which tells where the kernel's own file is not there. */
export function forbidsReading(log: string): boolean {
  try {
    return readFileSync(LOCKDOWN, 'latin1').includes('[confidentiality]');
  } catch {
    return REFUSED_READ.test(log);
  }
}

/**
 * Whether this is a PREEMPT_RT kernel. There, timers of threads that are not real-time expire in a softirq, out of order with
 * what taut follows: every wakeup would be said to have another source than a timer.
 */
export function isRealTimeKernel(): boolean {
  return /PREEMPT[_ ]RT/.test(version());
}

/**
 * Features to leave out, for tests: each counts as tried and not found. The name of a BPF program omits that program
 * without telling the tracer, which breaks the tracer on purpose.
 */
export type Without = ReadonlySet<string>;

const NAMES = /^(timers|bpf|schedstat|stats|on_[a-z_]+)$/;

/** Parses TAUT_WITHOUT, names separated by commas. @throws RangeError for an unknown name. */
export function withoutFrom(env: NodeJS.ProcessEnv): Without {
  const names = (env['TAUT_WITHOUT'] ?? '').split(',').filter((name) => name !== '');
  const strange = names.find((name) => !NAMES.test(name));
  if (strange !== undefined)
    throw new RangeError(`TAUT_WITHOUT: ${strange} is none of timers, bpf, schedstat, stats or a BPF program's name`);
  return new Set(names);
}
