/** Opens, configures, loads and attaches the BPF programs: four steps, one message for each that fails. */
import { existsSync } from 'node:fs';
import {
  addon,
  bpfObjectPath,
  failed,
  type NativeBpfObject,
  type NativeWakeupTracer,
  type Outcome,
  TautError,
} from '../native.ts';
import { FOREIGN_IDS, FOREIGN_IDS_REMEDY, hasHostIds } from '../proc/pidNamespace.ts';
import { differenceBehind, forbidsReading, isRealTimeKernel, type Without } from './features.ts';

/** The programs by purpose; each is attached to the tracepoint that its section names (`native/bpf/`). */
export const LIFE = ['on_fork', 'on_exec', 'on_rename', 'on_move', 'on_exit'] as const;
export const WAKEUP = ['on_timer_expire', 'on_waking', 'on_wakeup', 'on_wakeup_new', 'on_switch'] as const;

/** Measuring is not possible on this host or with these privileges. `mend` says what to do. */
export class TracerUnavailable extends Error {
  readonly mend: string;
  /** What libbpf and the verifier said. */
  readonly log: string;

  constructor(message: string, mend: string, log = '') {
    super(message);
    this.name = 'TracerUnavailable';
    this.mend = mend;
    this.log = log;
  }
}

const PRIVILEGE = 'run taut as root, or give it CAP_BPF and CAP_PERFMON';
const LOCKED_DOWN =
  'this kernel was booted with lockdown=confidentiality, which forbids BPF programs to read its memory';
const LOCKDOWN_REMEDY = 'boot with lockdown=integrity, or without lockdown';
const LEFT_OUT = 'left out by TAUT_WITHOUT';

export interface ProgramOptions {
  /** False: without the timer part, so that the programs load on kernels that lack what it needs. */
  readonly timers: boolean;
  /** Whether the series are split by the scheduler's slice. */
  readonly slices: boolean;
  readonly without: Without;
  /** Called when all is ready, before the wakeup programs are attached. */
  readonly beforeWakeups?: () => void;
}

/** The programs, all attached to their tracepoints; `wakeups` are the measuring ones. */
export interface LoadedPrograms {
  readonly object: NativeBpfObject;
  readonly tracer: NativeWakeupTracer;
  readonly wakeups: readonly string[];
}

/** @throws TracerUnavailable */
export function loadPrograms({ timers, slices, without, beforeWakeups }: ProgramOptions): LoadedPrograms {
  if (without.has('bpf')) throw new TracerUnavailable(`eBPF: ${LEFT_OUT}`, 'unset it');
  if (timers && without.has('timers')) throw new TracerUnavailable(`the timer chain: ${LEFT_OUT}`, 'unset it');
  if (timers && isRealTimeKernel())
    throw new TracerUnavailable(
      'on a PREEMPT_RT kernel what timers do can not be followed',
      'run another kernel to see how late timers fire; the rest is measured',
    );
  if (!existsSync('/sys/kernel/btf/vmlinux'))
    throw new TracerUnavailable(
      'this kernel has no BTF (/sys/kernel/btf/vmlinux), so its events can not be traced',
      'run a kernel with CONFIG_DEBUG_INFO_BTF=y (Debian, Ubuntu, Fedora and RHEL kernels have it)',
    );
  if (!hasHostIds()) throw new TracerUnavailable(FOREIGN_IDS, FOREIGN_IDS_REMEDY);
  const path = bpfObjectPath('taut');
  if (!existsSync(path))
    throw new TracerUnavailable(`the BPF programs are not built (${path})`, 'run: sh scripts/setup.sh');
  const object = new (addon().BpfObject)();
  const tracer = new (addon().WakeupTracer)(object);
  const step = (outcome: Outcome, what: string) => {
    if (!failed(outcome)) return;
    const log = object.log();
    tracer.close();
    object.close();
    const error = new TautError(outcome, what);
    if (forbidsReading(log)) throw new TracerUnavailable(LOCKED_DOWN, LOCKDOWN_REMEDY, log);
    const denied = error.code === 'EPERM' || error.code === 'EACCES';
    const difference = differenceBehind(log);
    throw new TracerUnavailable(
      denied ? `not allowed to trace the kernel (${error.message})` : (difference ?? error.message),
      denied ? PRIVILEGE : difference ? 'run a later kernel' : 'see what the kernel said with --log-level debug',
      log,
    );
  };
  step(object.open(path), 'open the BPF object');
  if (!timers) {
    step(object.omitFeatures(), 'leave the timer chain out');
    step(object.omitProgram('on_timer_expire'), 'leave the timer chain out');
  }
  const life = LIFE.filter((program) => program !== 'on_move' || existsSync('/proc/self/cgroup'));
  if (life.length < LIFE.length) step(object.omitProgram('on_move'), 'leave control groups out');
  step(tracer.load(slices), 'load the BPF programs');
  const wakeups = WAKEUP.filter((program) => !without.has(program) && (timers || program !== 'on_timer_expire'));
  const attach = (program: string) => step(object.attach(program), `attach ${program}`);
  life.forEach(attach);
  beforeWakeups?.();
  wakeups.forEach(attach);
  return { object, tracer, wakeups };
}
