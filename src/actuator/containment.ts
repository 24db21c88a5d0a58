/**
 * Puts back, for one knob of one agent, what descendants that no rule names were born with. Each thread is looked at once, as
 * soon as possible after its birth: then the agent's value is what it was born with. What has that value later has chosen it.
 */
import { childrenOf } from '../proc/ancestry.ts';
import { nowTicks } from '../proc/clock.ts';
import type { ProcFiles } from '../proc/files.ts';
import { isGone, optional, ProcHandle } from '../proc/handle.ts';
import { threadIds } from '../proc/processes.ts';
import { parseRunTime } from '../proc/schedstat.ts';
import type { ThreadStat } from '../proc/stat.ts';
import type { Inheritance } from './converge.ts';
import type { Born } from './descendants.ts';
import type { Knob } from './knob.ts';
import type { ThreadIdentity } from './ledgerEntry.ts';

/**
 * - `contained`: had the agent's value, and was put back
 * - `other`: has a value of its own, or was looked at before
 * - `exempt`: a write would have no effect now, and may have one later (real-time)
 * - `gone`: has ended
 */
type Look = 'contained' | 'other' | 'exempt' | 'gone';

interface Settled {
  readonly startTicks: number;
  /** The last walk that met it, or before which it was told. */
  walk: number;
}

/**
 * A thread that so many walks in a row did not meet is forgotten. One may miss a process whose parent ends meanwhile, and
 * `taut run` walks below itself and below its command in turns.
 */
const MISSED = 8;

export class Containment {
  readonly #knob: Knob;
  readonly #files: ProcFiles | undefined;
  /** Threads that were looked at, by id. */
  readonly #settled = new Map<number, Settled>();
  #ranNs = 0n;
  #walk = 0;
  #hasNew = false;

  constructor(knob: Knob, files?: ProcFiles) {
    this.#knob = knob;
    this.#files = files;
  }

  /**
   * CPU time, nanoseconds, that the threads which had the agent's value ran until they were put back; of one that had ended before, all
   * that it ran, if its parent had not waited for it yet. Undefined for a knob that does not decide who runs.
   */
  get ranNs(): bigint | undefined {
    return this.#knob.eases === 'run queue' ? this.#ranNs : undefined;
  }

  /** Puts back a new thread or process. @returns whether it had the agent's value. @throws TautError */
  born(born: Born, inheritance: Inheritance): boolean {
    return this.#look(born.tid, born.startTicks, inheritance) === 'contained';
  }

  /**
   * As `born`, for every present descendant of a process that was not looked at yet, except agents and their descendants: the
   * kernel does not report every birth everywhere, and may have lost some reports. @throws TautError
   */
  tree(root: number, inheritance: Inheritance, isAgent: (pid: number) => boolean): Walk {
    this.#walk++;
    let settledBefore = nowTicks(this.#files);
    let contained = 0;
    const seen = new Set([root]);
    for (let waiting = [root]; waiting.length > 0; ) {
      waiting = waiting.flatMap((pid) => childrenOf(pid, this.#files)).filter((pid) => !seen.has(pid) && !isAgent(pid));
      for (const pid of waiting) {
        seen.add(pid);
        for (const tid of threadIds(pid, this.#files)) {
          const look = this.#look(tid, undefined, inheritance, (exempt) => {
            settledBefore = Math.min(settledBefore, exempt);
          });
          if (look === 'contained') contained++;
        }
      }
    }
    for (const [tid, { walk }] of this.#settled) if (walk <= this.#walk - MISSED) this.#settled.delete(tid);
    const hasNew = this.#hasNew;
    this.#hasNew = false;
    return { contained, settledBefore, hasNew };
  }

  /** Whether a thread was looked at, and is its own master since. */
  isSettled({ tid, startTicks }: ThreadIdentity): boolean {
    return this.#settled.get(tid)?.startTicks === startTicks;
  }

  /**
   * Takes over from an agent below this one, which is let go: what was put back of it (it is a descendant from now on), and
   * whom it has looked at.
   */
  takeOver(below: Containment, putBack: readonly ThreadIdentity[]): void {
    for (const [tid, { startTicks }] of below.#settled) this.#settled.set(tid, { startTicks, walk: this.#walk });
    for (const { tid, startTicks } of putBack) this.#settled.set(tid, { startTicks, walk: this.#walk });
  }

  /** @param onExempt gets the start of a thread that has to be looked at again. */
  #look(
    tid: number,
    startTicks: number | undefined,
    { target, original, sinceTicks }: Inheritance,
    onExempt: (startTicks: number) => void = () => {},
  ): Look {
    const knob = this.#knob;
    try {
      using thread = new ProcHandle(tid, this.#files);
      const stat = thread.stat();
      if (startTicks !== undefined && stat.startTicks !== startTicks) return 'gone';
      const exempt = knob.exempt(stat);
      const isTooOld = stat.startTicks < sinceTicks;
      if (exempt === 'zombie') {
        this.#ended(thread, stat, knob.inherited(target), isTooOld);
        return 'gone';
      }
      if (exempt && !isTooOld) {
        // When it is real-time no more, the kernel gives it what it was born with, whatever it had in between.
        this.#settled.delete(tid);
        onExempt(stat.startTicks);
        return 'exempt';
      }
      if (this.#isKnown(tid, stat.startTicks)) return 'other';
      const inherited = knob.inherited(target);
      const isHeir = !isTooOld && knob.verify(thread, inherited) === inherited;
      if (isHeir) {
        knob.restore(thread, original);
        this.#account(thread);
      }
      this.#settled.set(tid, { startTicks: stat.startTicks, walk: this.#walk });
      this.#hasNew = true;
      return isHeir ? 'contained' : 'other';
    } catch (error) {
      if (isGone(error)) return 'gone';
      throw error;
    }
  }

  /** A zombie still shows what it had, and how long it ran. */
  #ended(thread: ProcHandle, { startTicks }: ThreadStat, inherited: bigint, isTooOld: boolean): void {
    if (this.ranNs === undefined || isTooOld || this.#isKnown(thread.id, startTicks)) return;
    if (this.#knob.verify(thread, inherited) === inherited) this.#account(thread);
    this.#settled.set(thread.id, { startTicks, walk: this.#walk });
  }

  /** After the write: that has the kernel bring the run time of a running thread up to date. */
  #account(thread: ProcHandle): void {
    if (this.ranNs !== undefined) this.#ranNs += optional(() => parseRunTime(thread.text('schedstat', 64)), 0n);
  }

  #isKnown(tid: number, startTicks: number): boolean {
    const known = this.#settled.get(tid);
    if (known?.startTicks !== startTicks) return false;
    known.walk = this.#walk;
    return true;
  }
}

/** What a look at all descendants found. */
export interface Walk {
  /** How many threads were put back. */
  readonly contained: number;
  /** Every descendant that was born before this was looked at; clock ticks since boot. */
  readonly settledBefore: number;
  /** Whether any was looked at for the first time since the walk before, also by `born`. */
  readonly hasNew: boolean;
}
