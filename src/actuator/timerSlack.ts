import type { Knob } from './knob.ts';
import type { ProcHandle } from './procHandle.ts';

const REAL_TIME = new Map([
  [1, 'SCHED_FIFO'],
  [2, 'SCHED_RR'],
  [6, 'SCHED_DEADLINE'],
]);

/**
 * Timer slack, in nanoseconds: `timerslack_ns` of `/proc/TID`. Needs CAP_SYS_NICE over the target's user namespace; the
 * file's mode (0666) says nothing. The kernel wants the whole number in one write(2).
 */
export const timerSlack: Knob = {
  id: 'timer_slack_ns',

  read(thread: ProcHandle): bigint {
    return BigInt(thread.read('timerslack_ns', 32).toString('latin1').trim());
  },

  write(thread: ProcHandle, value: bigint): void {
    thread.write('timerslack_ns', String(value));
  },

  /** The kernel takes a write to these and changes nothing that counts. */
  exempt(thread: ProcHandle): string | undefined {
    const stat = thread.stat();
    if (stat.state === 'Z' || stat.state === 'X') return 'zombie';
    if (thread.isKernelThread()) return 'kernel thread';
    return REAL_TIME.get(stat.policy);
  },
};
