/** The BPF programs, opened, loaded and attached: four steps, one message for each that fails. */
import { existsSync } from 'node:fs';
import { addon, bpfObjectPath, check, type NativeTracer, TautError } from '../native.ts';

/** Each is attached to the tracepoint in its section name (`native/bpf/`). */
const LIFE = ['on_fork', 'on_exec', 'on_rename', 'on_exit'] as const;
const WAKEUP = ['on_timer_expire', 'on_waking', 'on_wakeup', 'on_wakeup_new', 'on_switch'] as const;

/** Measuring is not possible on this host, or with these privileges. `mend` says what to do. */
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

/** @throws TracerUnavailable */
export function loadPrograms(): NativeTracer {
  if (!existsSync('/sys/kernel/btf/vmlinux'))
    throw new TracerUnavailable(
      'this kernel has no BTF (/sys/kernel/btf/vmlinux), so its events can not be traced',
      'run a kernel with CONFIG_DEBUG_INFO_BTF=y (Debian, Ubuntu, Fedora and RHEL kernels have it)',
    );
  const path = bpfObjectPath('taut');
  if (!existsSync(path))
    throw new TracerUnavailable(`the BPF programs are not built (${path})`, 'run: sh native/setup.sh');
  const tracer = new (addon().Tracer)();
  const step = (errno: number, what: string) => {
    if (errno >= 0) return;
    const log = tracer.log();
    tracer.close();
    const error = new TautError(errno, what);
    const denied = error.code === 'EPERM' || error.code === 'EACCES';
    throw new TracerUnavailable(
      denied ? `not allowed to trace the kernel (${error.message})` : error.message,
      denied ? PRIVILEGE : 'see what the kernel said with --log-level debug',
      log,
    );
  };
  step(tracer.open(path), 'open the BPF object');
  step(tracer.load(), 'load the BPF programs');
  for (const program of [...LIFE, ...WAKEUP]) step(tracer.attach(program), `attach ${program}`);
  return tracer;
}

/**
 * Takes the programs that measure wakeups from their tracepoints, or puts them back: where there is no agent, nothing
 * of the host shall pay for them.
 */
export function hookWakeups(tracer: NativeTracer, on: boolean): void {
  try {
    for (const program of WAKEUP)
      if (on) check(tracer.attach(program), `attach ${program}`);
      else tracer.detach(program);
  } catch (error) {
    hookWakeups(tracer, false);
    throw error;
  }
}
