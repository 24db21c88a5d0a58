/** What becomes of child processes that inherited an agent's value and that no rule matches. Containing: `containment.ts`. */
import type { ProcFiles } from '../proc/files.ts';
import { isGone, ProcHandle } from '../proc/handle.ts';
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
 * Records in the ledger a thread or process that keeps its agent's value.
 * @returns the thread; undefined when it does not have that value, or is gone. @throws LedgerError
 */
export function recordInherited(
  ledger: Ledger,
  knob: Knob,
  born: Born,
  order: TuneOrder,
  { original, sinceTicks: heirsFrom }: Inheritance,
  files?: ProcFiles,
): ThreadIdentity | undefined {
  const { tid } = born;
  try {
    using thread = new ProcHandle(tid, files);
    const { startTicks } = thread.stat();
    if (born.startTicks !== undefined && startTicks !== born.startTicks) return undefined;
    const inherited = knob.inherited(order.target);
    if (knob.verify(thread, inherited) !== inherited) return undefined;
    using process = new ProcHandle(thread.processId(), files);
    const identity = { pid: process.id, processStartTicks: process.stat().startTicks, tid, startTicks };
    ledger.record([
      { ...order, ...identity, knob: knob.id, original, heirsFrom, reason: 'inherited', atMs: Date.now() },
    ]);
    return { tid, startTicks };
  } catch (error) {
    if (!isGone(error)) throw error;
    return undefined;
  }
}
