/** Putting back what the ledger holds, by comparison: with or without a daemon, after a crash, twice. */
import type { Knob } from './knob.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';
import { threadIds } from './converge.ts';
import { isGone, ProcHandle } from './procHandle.ts';

/**
 * `restored`: at its original now (or was already). `drifted`: somebody else's value, left alone. `vanished`: the
 * thread is gone. `failed`: could not be read or written; its entry stays.
 */
export type RestoreOutcome = 'restored' | 'vanished' | 'drifted' | 'failed';

export interface Restored {
  readonly tid: number;
  readonly pid: number;
  readonly original: bigint;
  /** The value as found; undefined when it could not be read. */
  readonly was: bigint | undefined;
  readonly outcome: RestoreOutcome;
  readonly detail?: string;
}

const MAX_PASSES = 64;

export interface RestoreOptions {
  /** List what would be done, change nothing. */
  readonly dryRun?: boolean;
}

/** Puts the entries back and takes those that are settled off the ledger. */
export function restoreEntries(
  ledger: Ledger,
  knobs: readonly Knob[],
  entries: readonly LedgerEntry[],
  { dryRun = false }: RestoreOptions = {},
): Restored[] {
  const results: Restored[] = [];
  const known = new Set<number>();
  const put = (batch: readonly LedgerEntry[]) => {
    const settled: LedgerEntry[] = [];
    for (const entry of batch) {
      known.add(entry.tid);
      const knob = knobs.find((k) => k.id === entry.knob);
      const result = knob
        ? restoreOne(knob, entry, dryRun)
        : { outcome: 'failed' as const, was: undefined, detail: `no such knob: ${entry.knob}` };
      if (result.outcome !== 'failed') settled.push(entry);
      results.push({ tid: entry.tid, pid: entry.pid, original: entry.original, ...result });
    }
    if (!dryRun) ledger.remove(settled);
  };
  put(entries);
  // A thread that was still tuned may have made another meanwhile: until a pass finds none.
  const processes = [...new Map(entries.map((e) => [`${e.pid} ${e.knob}`, e])).values()].filter(sameProcess);
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const found = processes.flatMap((entry) => bornTuned(entry, knobs, known));
    if (found.length === 0) break;
    put(found);
  }
  return results;
}

function restoreOne(knob: Knob, entry: LedgerEntry, dryRun: boolean): Pick<Restored, 'outcome' | 'was' | 'detail'> {
  let was: bigint | undefined;
  try {
    using thread = new ProcHandle(entry.tid);
    if (thread.stat().startTicks !== entry.startTicks) return { outcome: 'vanished', was };
    was = knob.read(thread);
    if (was === entry.original) return { outcome: 'restored', was };
    if (was !== entry.target) return { outcome: 'drifted', was };
    if (dryRun) return { outcome: 'restored', was };
    knob.write(thread, entry.original);
    const now = knob.read(thread);
    if (now === entry.original) return { outcome: 'restored', was };
    return { outcome: 'failed', was, detail: `reads ${now} after writing ${entry.original}` };
  } catch (error) {
    if (isGone(error)) return { outcome: 'vanished', was };
    return { outcome: 'failed', was, detail: (error as Error).message };
  }
}

/**
 * Threads that have no entry because they were born, tuned by inheritance, when nobody was there to write them down:
 * they get the original of their process's entries.
 */
function bornTuned(entry: LedgerEntry, knobs: readonly Knob[], known: ReadonlySet<number>): LedgerEntry[] {
  const knob = knobs.find((k) => k.id === entry.knob);
  const found: LedgerEntry[] = [];
  for (const tid of knob ? threadIds(entry.pid) : []) {
    if (known.has(tid)) continue;
    try {
      using thread = new ProcHandle(tid);
      if (thread.processId() !== entry.pid || knob?.read(thread) !== entry.target) continue;
      found.push({ ...entry, tid, startTicks: thread.stat().startTicks });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return found;
}

function sameProcess(entry: LedgerEntry): boolean {
  try {
    using process = new ProcHandle(entry.pid);
    return process.stat().startTicks === entry.processStartTicks;
  } catch {
    return false;
  }
}
