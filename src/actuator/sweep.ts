import { isSameProcess } from '../proc/identity.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';

/**
 * Takes threads off the record that have ended and that nobody watches: those of children that were left what they
 * inherited, and those whose end the kernel had no room to report. @returns them. @throws LedgerError
 */
export function sweep(ledger: Ledger, isWatched: (thread: LedgerEntry) => boolean): LedgerEntry[] {
  const strangers = ledger.entries().filter((entry) => !isWatched(entry));
  const ended = strangers.filter(({ tid, startTicks }) => !isSameProcess(tid, startTicks));
  ledger.remove(ended);
  return ended;
}
