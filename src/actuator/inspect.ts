/** Looks at a thread that was tuned, or was exempt: whether something has changed since. Writes nothing. */
import type { ProcFiles } from '../proc/files.ts';
import { isGone, ProcHandle } from '../proc/handle.ts';
import type { Knob } from './knob.ts';
import type { ThreadState } from './thread.ts';

/**
 * - `same`: nothing to do; also a thread that has ended, which the next listing lacks
 * - `another`: its id is another thread's now
 * - `tunable`: it was exempt, and is not any more
 * - a state: it became exempt, or another program has changed its value (`drifted`)
 */
export type Inspected = 'same' | 'another' | 'tunable' | ThreadState;

/** @param target what a tuned thread has. */
export function inspect(
  knob: Knob,
  tid: number,
  state: ThreadState,
  target: bigint,
  files: ProcFiles | undefined,
): Inspected {
  if (state.outcome !== 'tuned' && state.outcome !== 'exempt') return 'same';
  try {
    using thread = new ProcHandle(tid, files);
    const stat = thread.stat();
    if (stat.startTicks !== state.startTicks) return 'another';
    const exempt = knob.exempt(stat);
    const value = knob.verify(thread, target);
    if (exempt) return { ...state, outcome: 'exempt', value, detail: exempt };
    if (state.outcome === 'exempt') return 'tunable';
    return value === target ? 'same' : { ...state, outcome: 'drifted', value };
  } catch (error) {
    if (isGone(error)) return 'same';
    throw error;
  }
}
