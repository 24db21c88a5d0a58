/** A child process that no rule names does not keep its agent's slack: it gets the agent's original back. */
import type { Knob } from './knob.ts';
import type { Ledger } from './ledger.ts';
import type { TuneOrder } from './converge.ts';
import { isGone, ProcHandle } from './procHandle.ts';
import { restoreEntries } from './restore.ts';

/**
 * Puts a freshly forked child back. It is on record while that is under way, so a crash leaves it to `restore`.
 * @returns how many threads were put back; 0 when the child is gone, or was born before its maker was tuned.
 */
export function containChild(ledger: Ledger, knob: Knob, child: number, order: TuneOrder, original: bigint): number {
  try {
    using process = new ProcHandle(child);
    const processStartTicks = process.stat().startTicks;
    if (knob.read(process) !== order.target) return 0;
    const { operation, agent, rule, target } = order;
    const base = { pid: child, processStartTicks, knob: knob.id, original, target, agent, rule, operation };
    const entry = { ...base, tid: child, startTicks: processStartTicks, reason: 'contain', atMs: Date.now() };
    ledger.record([entry]);
    return restoreEntries(ledger, [knob], [entry]).filter((r) => r.outcome === 'restored').length;
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}
