import { existsSync } from 'node:fs';
import type { ProcHandle } from '../proc/handle.ts';
import type { ThreadStat } from '../proc/stat.ts';
import { formatNs, parseNs } from '../util/duration.ts';
import { exemption, REAL_TIME } from './exempt.ts';
import type { Knob, Support } from './knob.ts';

/** The largest useful target, 100 ms: the kernel's own limit for the slack of a long select or poll. */
const MAX_NS = 100_000_000n;

/**
 * Timer slack, in nanoseconds: `timerslack_ns` of `/proc/TID`. A write needs CAP_SYS_NICE in the target's user
 * namespace, although the file's mode is 0666, and must contain the whole number in one write(2). A write of 0 sets the
 * thread's default, which an heir inherited as well: so taut restores by writing the original number.
 */
export const timerSlack: Knob = {
  id: 'timer_slack_ns',
  profile: 'timers',
  title: 'timer slack',
  about:
    'Timer slack is how much later than asked Linux may fire a timer, so that it wakes the CPU less often: 50 microseconds, unless somebody changed it.',
  option: 'optimize-timer-slack',
  help: 'set the timer slack of agents to this (units: ns, us, ms); not changed unless given',
  eases: 'timers',
  defaultTarget: 1n,
  mend: 'taut needs CAP_SYS_NICE in the user namespace of that process; run taut as root',

  support(): Support {
    const ok = existsSync('/proc/self/timerslack_ns');
    const detail = ok ? '/proc/self/timerslack_ns' : 'this kernel has no /proc/PID/timerslack_ns';
    return { name: 'timerslack_ns', ok, detail, mend: 'run Linux 4.6 or later' };
  },

  /** Accepts 1 ns to 100 ms. */
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

  /** A written value is in force at once. */
  verify(thread: ProcHandle): bigint {
    return timerSlack.read(thread);
  },

  restore(thread: ProcHandle, original: bigint): void {
    timerSlack.write(thread, original);
  },

  /**
   * A write to such a thread succeeds but has no effect. A real-time thread's slack reads 0; the kernel resets it to
   * the default when the thread returns to normal scheduling.
   */
  exempt(stat: ThreadStat): string | undefined {
    return exemption(stat, REAL_TIME);
  },

  /** Only a shorter slack is an improvement. */
  improves(value: bigint, target: bigint): boolean {
    return target < value;
  },

  inherited(value: bigint): bigint {
    return value;
  },
};
