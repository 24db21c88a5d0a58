import type { Ledger, LedgerEntry } from './ledger.ts';
import { isGone, ProcHandle } from './procHandle.ts';

/**
 * Takes threads off the record that have ended and that nobody watches: those of children that were left what they
 * inherited, and those whose end the kernel had no room to report. @returns them. @throws LedgerError
 */
export function sweep(ledger: Ledger, isWatched: (thread: LedgerEntry) => boolean): LedgerEntry[] {
  const strangers = ledger.entries().filter((entry) => !isWatched(entry));
  const ended = strangers.filter(({ tid, startTicks }) => hasEnded(tid, startTicks));
  ledger.remove(ended);
  return ended;
}

function hasEnded(tid: number, startTicks: number): boolean {
  try {
    using thread = new ProcHandle(tid);
    return thread.stat().startTicks !== startTicks;
  } catch (error) {
    if (isGone(error)) return true;
    throw error;
  }
}
