import { addon, check, TautError } from '../native.ts';
import { optional, ProcHandle } from '../proc/handle.ts';
import type { ThreadStat } from '../proc/stat.ts';
import { exemption, REAL_TIME } from './exempt.ts';
import type { Knob, Support } from './knob.ts';

/** What a process begins with that nobody has changed: SCHED_OTHER, nice 0. */
const ORDINARY = 0n;
const MAX_NICE = 19n;
/** Stands for SCHED_IDLE: it comes after nice 19. */
const IDLE = 20n;
/** Other policies stand above, each with room for its nice values. */
const OTHERS = 1_000n;
const ROOM = 100n;

/** As sched(7) numbers them. */
const [SCHED_OTHER, SCHED_IDLE] = [0, 5];
const POLICIES: ReadonlyMap<number, string> = new Map([...REAL_TIME, [3, 'SCHED_BATCH'], [7, 'SCHED_EXT']]);

/** As the addon has a priority: `policy << 8 | nice + 20`. */
const [POLICY_SHIFT, NICE_BITS, NICE_ZERO] = [8, 0xff, 20];

/**
 * The priority of an agent's tools: nice 1 to 19, or SCHED_IDLE. A value is a nice value; 20 is SCHED_IDLE. What a tool starts
 * later inherits it. A priority that was lowered can be raised again with CAP_SYS_NICE only (or RLIMIT_NICE), so a taut that
 * could not do that does not lower any.
 */
export const toolPriority: Knob = {
  id: 'tool_priority',
  of: 'tools',
  profile: 'responsive',
  ordinary: ORDINARY,
  title: 'tool priority',
  about:
    "The tool priority is how much of the CPUs an agent's builds and other tools get while the agent wants them, too. With a lower one, typing and painting do not wait for a build; where nothing else runs, the build is as fast as before.",
  option: 'optimize-tools',
  help: "what an agent's tools run at (nice:1 to nice:19, or idle), but not its language and MCP servers; not changed unless given",
  eases: 'run queue',
  defaultTarget: 10n,
  mend: 'taut needs CAP_SYS_NICE in the initial user namespace; run taut as root, on the host',

  support(): Support {
    const name = 'raising a priority';
    try {
      check(addon().canRaisePriority(), 'raise the priority of an own thread that was lowered');
      return { name, ok: true, detail: 'tools whose priority is lowered get it back', mend: '' };
    } catch (error) {
      const detail = `a priority that taut lowers could never be raised again (${(error as Error).message})`;
      return { name, ok: false, detail, mend: 'run taut as root, or with CAP_SYS_NICE' };
    }
  },

  /** Accepts `nice:1` to `nice:19`, `idle`, and the number that stands for either. */
  parse(text: string): bigint {
    const nice = /^nice[: ]?(\d{1,2})$/i.exec(text)?.[1];
    const value = /^idle$/i.test(text) ? IDLE : BigInt(nice ?? (/^\d{1,2}$/.test(text) ? text : 0));
    if (value > ORDINARY && value <= (nice === undefined ? IDLE : MAX_NICE)) return value;
    throw new RangeError(`"${text}" is no priority for tools: nice:1 to nice:19, or idle`);
  },

  format(value: bigint): string {
    if (value === IDLE) return 'idle';
    if (value < OTHERS) return `nice ${value}`;
    const policy = Number((value - OTHERS) / ROOM);
    return POLICIES.get(policy) ?? `policy ${policy}`;
  },

  read(thread: ProcHandle): bigint {
    const priority = thread.priority();
    const [policy, nice] = [priority >> POLICY_SHIFT, BigInt((priority & NICE_BITS) - NICE_ZERO)];
    if (policy === SCHED_OTHER) return nice;
    return policy === SCHED_IDLE ? IDLE : OTHERS + ROOM * BigInt(policy) + nice + BigInt(NICE_ZERO);
  },

  write(thread: ProcHandle, value: bigint): void {
    const [policy, nice] = value === IDLE ? [SCHED_IDLE, 0] : [SCHED_OTHER, Number(value)];
    try {
      thread.setPriority((policy << POLICY_SHIFT) | (nice + NICE_ZERO));
    } catch (error) {
      if (error instanceof TautError && error.code === 'ESTALE') asBorn(thread);
      throw error;
    }
  },

  verify(thread: ProcHandle): bigint {
    return toolPriority.read(thread);
  },

  restore(thread: ProcHandle, original: bigint): void {
    toolPriority.write(thread, original);
  },

  exempt(stat: ThreadStat): string | undefined {
    return exemption(stat, REAL_TIME);
  },

  improves(value: bigint, target: bigint): boolean {
    return target > value;
  },

  inherited(value: bigint): bigint {
    return value;
  },
};

/**
 * Another thread has got the id of this one during the write, and with it the value. What it had is gone, but it was born a
 * moment ago, and so had what it has inherited: from its parent, or from the process that it is a thread of.
 */
function asBorn({ id, files }: ProcHandle): void {
  optional(() => {
    using stranger = new ProcHandle(id, files);
    const process = stranger.processId();
    using maker = new ProcHandle(process === id ? stranger.stat().ppid : process, files);
    stranger.setPriority(maker.priority());
  }, undefined);
}
