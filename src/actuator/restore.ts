/** Putting back what the ledger holds, by comparison: with or without a daemon, after a crash, twice, side by side. */
import { childrenOf } from '../proc/ancestry.ts';
import { isGone, optional, ProcHandle } from '../proc/handle.ts';
import { isSameProcess } from '../proc/identity.ts';
import { threadIds } from '../proc/processes.ts';
import { faultPoint } from './faultPoints.ts';
import type { Knob } from './knob.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';

/**
 * `restored`: at its original now (or was already). `drifted`: somebody else's value, left alone. `vanished`: the
 * thread is gone. `failed`: could not be read or written, or is real-time now; its entry stays.
 */
export type RestoreOutcome = 'restored' | 'vanished' | 'drifted' | 'failed';

export interface Restored {
  readonly tid: number;
  readonly startTicks: number;
  readonly pid: number;
  readonly processStartTicks: number;
  readonly agent: string;
  readonly rule: string;
  readonly knob: string;
  readonly original: bigint;
  /** What taut wrote, or the thread was born with. */
  readonly target: bigint;
  /** It was born with taut's value, and had no entry of its own. */
  readonly isHeir: boolean;
  /** The value as found; undefined when it could not be read. */
  readonly was: bigint | undefined;
  readonly outcome: RestoreOutcome;
  readonly detail?: string;
}

/** A process that makes threads faster than they are put back is given up after so many passes; its entries stay. */
const MAX_PASSES = 64;

export interface RestoreOptions {
  /** List what would be done, change nothing. */
  readonly dryRun?: boolean;
  /** The process whose entries these are, where it was held since it was identified: then ids can't deceive. */
  readonly process?: ProcHandle;
}

/** Puts the entries back and takes those that are settled off the ledger. @throws LedgerError */
export function restoreEntries(
  ledger: Ledger,
  knobs: readonly Knob[],
  entries: readonly LedgerEntry[],
  { dryRun = false, process }: RestoreOptions = {},
): Restored[] {
  const results: Restored[] = [];
  const handled = new Set<number>();
  /** What has an entry of its own, here or of another agent, is nobody's heir. */
  const isKnown = (tid: number) => handled.has(tid) || ledger.holds(tid);
  const settled: LedgerEntry[] = [];
  const put = (batch: readonly LedgerEntry[], isHeir: boolean) => {
    for (const entry of batch) {
      handled.add(entry.tid);
      const knob = knobs.find((k) => k.id === entry.knob);
      const result = knob
        ? restoreOne(knob, entry, dryRun, process)
        : { outcome: 'failed' as const, was: undefined, detail: `no such knob: ${entry.knob}` };
      if (result.outcome !== 'failed') settled.push(entry);
      const { tid, startTicks, pid, processStartTicks, agent, rule, original, target } = entry;
      const whose = { tid, startTicks, pid, processStartTicks, agent, rule };
      results.push({ ...whose, knob: entry.knob, original, target, isHeir, ...result });
    }
  };
  // Whose heirs to look for: before their own entries are settled, as a dead parent's children are nobody's.
  const processes = [...new Map(entries.map((e) => [`${e.pid} ${e.knob}`, e])).values()].filter(isStillThere);
  put(entries, false);
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const found = processes.flatMap((entry) => heirs(entry, knobs, isKnown));
    if (found.length === 0) break;
    put(found, true);
  }
  // The entries go last: killed before, the next restore finds the heirs through them.
  if (!dryRun) ledger.remove(settled);
  faultPoint('restore-removed');
  return results;
}

function restoreOne(
  knob: Knob,
  entry: LedgerEntry,
  dryRun: boolean,
  process: ProcHandle | undefined,
): Pick<Restored, 'outcome' | 'was' | 'detail'> {
  let was: bigint | undefined;
  try {
    using thread = new ProcHandle(entry.tid);
    const stat = thread.stat();
    if (stat.startTicks !== entry.startTicks || thread.processId() !== entry.pid) return { outcome: 'vanished', was };
    if (entry.pid === process?.id && process.hasEnded()) return { outcome: 'vanished', was };
    const exempt = knob.exempt(stat);
    if (exempt === 'zombie') return { outcome: 'vanished', was };
    was = knob.read(thread);
    faultPoint('restore-read');
    if (was === entry.original) return { outcome: 'restored', was };
    if (exempt) return { outcome: 'failed', was, detail: `${exempt} now; restore again when it is not` };
    if (was !== entry.target) return { outcome: 'drifted', was };
    if (dryRun) return { outcome: 'restored', was };
    knob.restore(thread, entry.original);
    faultPoint('restore-written');
    const now = knob.verify(thread, entry.original);
    faultPoint('restore-verified');
    if (now === entry.original) return { outcome: 'restored', was };
    return { outcome: 'failed', was, detail: `reads ${now} after writing ${entry.original}` };
  } catch (error) {
    if (isGone(error)) return { outcome: 'vanished', was };
    return { outcome: 'failed', was, detail: (error as Error).message };
  }
}

/**
 * Threads and descendants without an entry, which were born tuned when nobody was there to write them down: they get
 * the original of the process that they come from.
 */
function heirs(entry: LedgerEntry, knobs: readonly Knob[], isKnown: (tid: number) => boolean): LedgerEntry[] {
  const knob = knobs.find((k) => k.id === entry.knob);
  if (!knob) return [];
  const found: LedgerEntry[] = [];
  const seen = new Set<number>([entry.pid]);
  for (let waiting = [entry.pid]; waiting.length > 0; ) {
    for (const pid of waiting)
      for (const tid of threadIds(pid)) {
        const heir = isKnown(tid) ? undefined : heirOf(knob, entry, pid, tid);
        if (heir) found.push(heir);
      }
    waiting = waiting.flatMap(childrenOf).filter((pid) => !seen.has(pid));
    for (const pid of waiting) seen.add(pid);
  }
  return found;
}

function heirOf(knob: Knob, entry: LedgerEntry, pid: number, tid: number): LedgerEntry | undefined {
  try {
    using thread = new ProcHandle(tid);
    const inherited = knob.inherited(entry.target);
    const stat = thread.stat();
    if (thread.processId() !== pid || knob.exempt(stat) || knob.read(thread) !== inherited) return undefined;
    using process = new ProcHandle(pid);
    const processStartTicks = process.stat().startTicks;
    return { ...entry, pid, processStartTicks, tid, startTicks: stat.startTicks, target: inherited };
  } catch {
    return undefined; // it is gone, or can't be looked at
  }
}

/** Not where that can't be told now: its own entries are put back all the same. */
function isStillThere({ pid, processStartTicks }: LedgerEntry): boolean {
  return optional(() => isSameProcess(pid, processStartTicks), false);
}
