import type { ProcHandle } from '../proc/handle.ts';
import type { ThreadStat } from '../proc/stat.ts';
import { formatNs, parseNs } from '../util/duration.ts';
import type { Knob } from './knob.ts';

const REAL_TIME = new Map([
  [1, 'SCHED_FIFO'],
  [2, 'SCHED_RR'],
  [6, 'SCHED_DEADLINE'],
]);

/** `flags` of /proc/ID/stat: a thread of the kernel's own. */
const PF_KTHREAD = 0x00200000;

export function isKernelThread({ flags }: ThreadStat): boolean {
  return (flags & PF_KTHREAD) !== 0;
}

/** The largest target that makes sense: the kernel's own cap for the slack of a long select or poll, 100 ms. */
const MAX_NS = 100_000_000n;

/**
 * Timer slack, in nanoseconds: `timerslack_ns` of `/proc/TID`. Needs CAP_SYS_NICE over the target's user namespace; the
 * file's mode (0666) says nothing. The kernel wants the whole number in one write(2), and takes 0 as "back to the
 * thread's default", which for a thread that inherited is what it inherited: putting back means writing the number.
 */
export const timerSlack: Knob = {
  id: 'timer_slack_ns',
  title: 'timer slack',
  option: 'optimize-timer-slack',
  help: 'set the timer slack of agents to this (units: ns, us, ms); not changed unless given',
  defaultTarget: 1n,
  mend: 'taut needs CAP_SYS_NICE in the user namespace of that process; run taut as root',

  /** 1 ns to 100 ms. */
  parse(text: string): bigint {
    const ns = parseNs(text, 'timer slack');
    if (ns === 0n)
      throw new RangeError(
        'a timer slack of 0 does not exist: the kernel takes 0 as "back to the default"; the least is 1 ns',
      );
    if (ns > MAX_NS) throw new RangeError(`${text} is longer than 100 ms: taut makes timers earlier, never later`);
    return ns;
  },

  format: formatNs,

  read(thread: ProcHandle): bigint {
    return BigInt(thread.text('timerslack_ns', 32).trim());
  },

  write(thread: ProcHandle, value: bigint): void {
    thread.write('timerslack_ns', String(value));
  },

  /** In force at once. */
  verify(thread: ProcHandle): bigint {
    return timerSlack.read(thread);
  },

  restore(thread: ProcHandle, original: bigint): void {
    timerSlack.write(thread, original);
  },

  /**
   * The kernel takes a write to these and changes nothing that counts. A real-time thread's slack reads 0, and is reset
   * to its default when it returns to normal scheduling.
   */
  exempt(stat: ThreadStat): string | undefined {
    if (stat.state === 'Z' || stat.state === 'X') return 'zombie';
    return isKernelThread(stat) ? 'kernel thread' : REAL_TIME.get(stat.policy);
  },

  /** taut makes no timer later. */
  improves(value: bigint, target: bigint): boolean {
    return target < value;
  },

  inherited(value: bigint): bigint {
    return value;
  },
};
