/** Handles child processes that inherited an agent's value and that no rule matches. */
import { childrenOf } from '../proc/ancestry.ts';
import type { ProcFiles } from '../proc/files.ts';
import { isGone, ProcHandle } from '../proc/handle.ts';
import { threadIds } from '../proc/processes.ts';
import type { Inheritance, TuneOrder } from './converge.ts';
import type { Knob } from './knob.ts';
import type { Ledger, ThreadIdentity } from './ledger.ts';

/**
 * - `contain`: the child gets the agent's original value as soon as the kernel reports it
 * - `inherit`: the child keeps the value; it is in the ledger, so that it can be restored
 * - `tune`: the child is an agent, too
 */
export const DESCENDANTS = ['contain', 'inherit', 'tune'] as const;
export type Descendants = (typeof DESCENDANTS)[number];

/** A new thread that the kernel reported. `startTicks` tells it from a later thread with the same id. */
export interface Born {
  readonly tid: number;
  readonly startTicks?: number;
}

/**
 * Puts back a new thread or process. It needs no ledger entry: until it is written, its agent's entry covers it, and
 * after that there is nothing to put back.
 * @returns whether it was put back; false when it did not have the agent's value, or is gone.
 */
export function contain(
  knob: Knob,
  { tid, startTicks }: Born,
  { target, original }: Inheritance,
  files?: ProcFiles,
): boolean {
  try {
    using thread = new ProcHandle(tid, files);
    const stat = thread.stat();
    if (startTicks !== undefined && stat.startTicks !== startTicks) return false;
    // A write would have no effect now; the next look at all descendants finds it.
    if (knob.exempt(stat)) return false;
    if (knob.read(thread) !== knob.inherited(target)) return false;
    knob.restore(thread, original);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/**
 * As `contain`, for all present descendants of a process, except agents and their descendants. Needed when the kernel
 * does not report every fork, or may have lost some reports. @returns how many threads were put back.
 */
export function containTree(
  knob: Knob,
  root: number,
  inheritance: Inheritance,
  isAgent: (pid: number) => boolean,
  files?: ProcFiles,
): number {
  let restored = 0;
  const seen = new Set([root]);
  for (let waiting = [root]; waiting.length > 0; ) {
    waiting = waiting.flatMap((pid) => childrenOf(pid, files)).filter((pid) => !seen.has(pid) && !isAgent(pid));
    for (const pid of waiting) {
      seen.add(pid);
      for (const tid of threadIds(pid, files)) if (contain(knob, { tid }, inheritance, files)) restored++;
    }
  }
  return restored;
}

/**
 * Records in the ledger a thread or process that keeps its agent's value.
 * @returns the thread; undefined when it does not have that value, or is gone. @throws LedgerError
 */
export function recordInherited(
  ledger: Ledger,
  knob: Knob,
  born: Born,
  order: TuneOrder,
  original: bigint,
  files?: ProcFiles,
): ThreadIdentity | undefined {
  const { tid } = born;
  try {
    using thread = new ProcHandle(tid, files);
    const { startTicks } = thread.stat();
    if (born.startTicks !== undefined && startTicks !== born.startTicks) return undefined;
    if (knob.read(thread) !== knob.inherited(order.target)) return undefined;
    using process = new ProcHandle(thread.processId(), files);
    const identity = { pid: process.id, processStartTicks: process.stat().startTicks, tid, startTicks };
    ledger.record([{ ...order, ...identity, knob: knob.id, original, reason: 'inherited', atMs: Date.now() }]);
    return { tid, startTicks };
  } catch (error) {
    if (!isGone(error)) throw error;
    return undefined;
  }
}
