/**
 * Puts back the threads in the ledger, comparing before it writes. Safe with or without a daemon, after a crash,
 * repeatedly, and in several processes at once.
 */
import { childrenOf } from '../proc/ancestry.ts';
import type { ProcFiles } from '../proc/files.ts';
import { isGone, optional, ProcHandle } from '../proc/handle.ts';
import { isSameProcess } from '../proc/identity.ts';
import { threadIds } from '../proc/processes.ts';
import { faultPoint } from './faultPoints.ts';
import type { Knob } from './knob.ts';
import type { Ledger, LedgerEntry, ThreadIdentity } from './ledger.ts';
import { LedgerError } from './ledgerFile.ts';

/**
 * `restored`: has its original value now (or had it already). `drifted`: has another program's value, left alone.
 * `vanished`: the thread is gone. `failed`: could not be read or written, or is real-time now; its entry stays.
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
  /** The value that taut wrote, or that the thread inherited. */
  readonly target: bigint;
  /** The thread inherited taut's value, and had no entry of its own. */
  readonly isHeir: boolean;
  /** The value as found; undefined when it could not be read. */
  readonly was: bigint | undefined;
  readonly outcome: RestoreOutcome;
  readonly detail?: string;
}

/** Give up after this many passes over a process that starts threads faster than they are put back. */
const MAX_PASSES = 64;

export interface RestoreOptions {
  /** Only list what would be done. */
  readonly dryRun?: boolean;
  /** The entries' process, if it is held open since it was identified: rules out a reused id. */
  readonly process?: ProcHandle;
  /** Where the entries' threads are. Default: where `process` is, else this host. */
  readonly files?: ProcFiles;
  /** Whether a descendant was looked at already, and so is no heir, whatever its value. Beside what the ledger says. */
  readonly isSettled?: (thread: ThreadIdentity) => boolean;
  /** Called when everything is done, and the entries could not be removed. Default: throws the error. */
  readonly onUnremoved?: (error: LedgerError) => void;
}

/** Puts the entries' threads back, and removes all entries from the ledger that did not fail. @throws LedgerError */
export function restoreEntries(
  ledger: Ledger,
  knobs: readonly Knob[],
  entries: readonly LedgerEntry[],
  { dryRun = false, process, files = process?.files, isSettled = () => false, onUnremoved }: RestoreOptions = {},
): Restored[] {
  const results: Restored[] = [];
  const handled = new Set<string>();
  /** A thread with an entry of its own for a knob, in this batch or of another agent, is not an heir of that knob. */
  const isKnown = (tid: number, knob: string) => handled.has(`${tid} ${knob}`) || ledger.holds(tid, knob);
  const settled: LedgerEntry[] = [];
  const put = (batch: readonly LedgerEntry[], isHeir: boolean) => {
    for (const entry of batch) {
      handled.add(`${entry.tid} ${entry.knob}`);
      const knob = knobs.find((k) => k.id === entry.knob);
      const result = knob
        ? restoreOne(knob, entry, dryRun, process, files)
        : { outcome: 'failed' as const, was: undefined, detail: `no such knob: ${entry.knob}` };
      if (result.outcome !== 'failed') settled.push(entry);
      const { tid, startTicks, pid, processStartTicks, agent, rule, original, target } = entry;
      const whose = { tid, startTicks, pid, processStartTicks, agent, rule };
      results.push({ ...whose, knob: entry.knob, original, target, isHeir, ...result });
    }
  };
  // Collect the living processes first: after a process has ended, its children can't be found any more.
  const processes = latestOfProcesses(entries).filter((e) => isStillThere(e, files));
  put(entries, false);
  // Then its main thread may be another one that called execve, which has the id and the start time of the one that was.
  const hasExeced = ({ pid, knob }: LedgerEntry) =>
    results.every((r) => r.pid !== pid || r.knob !== knob || r.isHeir || r.outcome === 'vanished');
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const found = processes.flatMap((entry) =>
      heirs(entry, knobs, ledger, isKnown, isSettled, hasExeced(entry), files),
    );
    if (found.length === 0) break;
    put(found, true);
  }
  // Remove the entries last: if this process is killed before, the next restore finds the heirs through them.
  try {
    if (!dryRun) ledger.remove(settled);
  } catch (error) {
    if (!onUnremoved || !(error instanceof LedgerError)) throw error;
    onUnremoved(error);
  }
  faultPoint('restore-removed');
  return results;
}

function restoreOne(
  knob: Knob,
  entry: LedgerEntry,
  dryRun: boolean,
  process: ProcHandle | undefined,
  files: ProcFiles | undefined,
): Pick<Restored, 'outcome' | 'was' | 'detail'> {
  let was: bigint | undefined;
  try {
    using thread = new ProcHandle(entry.tid, files);
    const stat = thread.stat();
    if (stat.startTicks !== entry.startTicks || thread.processId() !== entry.pid) return { outcome: 'vanished', was };
    if (entry.pid === process?.id && process.hasEnded()) return { outcome: 'vanished', was };
    const exempt = knob.exempt(stat);
    if (exempt === 'zombie') return { outcome: 'vanished', was };
    was = knob.verify(thread, entry.target);
    if (was !== entry.target) was = knob.verify(thread, entry.original);
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

/** One entry for each knob of each process: the one that knows best who can't be an heir. */
function latestOfProcesses(entries: readonly LedgerEntry[]): LedgerEntry[] {
  const latest = new Map<string, LedgerEntry>();
  for (const entry of entries) {
    const key = `${entry.pid} ${entry.knob}`;
    if ((latest.get(key)?.heirsFrom ?? -1) <= entry.heirsFrom) latest.set(key, entry);
  }
  return [...latest.values()];
}

/**
 * Finds threads and descendants without an entry that inherited the tuned value while no taut was running. They get the
 * original value of the process that they come from. Who was born before `heirsFrom` and has that value has chosen it.
 */
function heirs(
  entry: LedgerEntry,
  knobs: readonly Knob[],
  ledger: Ledger,
  isKnown: (tid: number, knob: string) => boolean,
  isSettled: (thread: ThreadIdentity) => boolean,
  hasExeced: boolean,
  files: ProcFiles | undefined,
): LedgerEntry[] {
  const knob = knobs.find((k) => k.id === entry.knob);
  if (!knob) return [];
  const found: LedgerEntry[] = [];
  const seen = new Set<number>([entry.pid]);
  for (let waiting = [entry.pid]; waiting.length > 0; ) {
    for (const pid of waiting)
      for (const tid of threadIds(pid, files)) {
        const heirsFrom = hasExeced && tid === entry.pid ? 0 : entry.heirsFrom;
        const heir = isKnown(tid, knob.id) ? undefined : heirOf(knob, { ...entry, heirsFrom }, pid, tid, files);
        if (heir && !isSettled(heir)) found.push(heir);
      }
    // What is below a process with an entry of its own comes from that one, and is put back with it.
    waiting = waiting
      .flatMap((pid) => childrenOf(pid, files))
      .filter((pid) => !seen.has(pid) && !ledger.holds(pid, knob.id));
    for (const pid of waiting) seen.add(pid);
  }
  return found;
}

function heirOf(
  knob: Knob,
  entry: LedgerEntry,
  pid: number,
  tid: number,
  files: ProcFiles | undefined,
): LedgerEntry | undefined {
  try {
    using thread = new ProcHandle(tid, files);
    const inherited = knob.inherited(entry.target);
    const stat = thread.stat();
    if (stat.startTicks < entry.heirsFrom) return undefined;
    if (thread.processId() !== pid || knob.exempt(stat) || knob.verify(thread, inherited) !== inherited)
      return undefined;
    using process = new ProcHandle(pid, files);
    const processStartTicks = process.stat().startTicks;
    return { ...entry, pid, processStartTicks, tid, startTicks: stat.startTicks, target: inherited };
  } catch {
    return undefined; // it is gone, or can't be read
  }
}

/** False also when that can't be read now: then only the process's own entries are put back. */
function isStillThere({ pid, processStartTicks }: LedgerEntry, files: ProcFiles | undefined): boolean {
  return optional(() => isSameProcess(pid, processStartTicks, files), false);
}
