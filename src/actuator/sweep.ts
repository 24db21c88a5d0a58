import type { ProcFiles } from '../proc/files.ts';
import { isSameProcess } from '../proc/identity.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';

/**
 * Removes threads from the ledger that have ended and that no agent tracks: children that kept an inherited value, and
 * threads whose end the kernel had no room to report. @returns the removed entries. @throws LedgerError
 */
export function sweep(ledger: Ledger, isWatched: (thread: LedgerEntry) => boolean, files?: ProcFiles): LedgerEntry[] {
  const strangers = ledger.entries().filter((entry) => !isWatched(entry));
  const ended = strangers.filter(({ tid, startTicks }) => !isSameProcess(tid, startTicks, files));
  ledger.remove(ended);
  return ended;
}
