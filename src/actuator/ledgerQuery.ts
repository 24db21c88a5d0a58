/** Selects entries from the ledger's table. */
import type { DatabaseSync } from 'node:sqlite';
import { type LedgerEntry, type LedgerFilter, toEntry } from './ledgerEntry.ts';
import { HERE } from './ledgerFile.ts';

export interface Selected {
  readonly entries: LedgerEntry[];
  /** Of each row that can't be understood, what is wrong with it. */
  readonly unreadable: readonly string[];
}

/**
 * The entries of this boot and PID namespace that the filter selects, oldest first. @param here the parameters of `HERE`.
 * @throws an error of SQLite
 */
export function select(
  db: DatabaseSync,
  here: readonly string[],
  { pids, agent, rule, operation, before, owner }: LedgerFilter,
): Selected {
  const conditions: string[] = [HERE];
  const values: (string | number)[] = [...here];
  const where = (condition: string, ...bound: (string | number)[]) => {
    conditions.push(condition);
    values.push(...bound);
  };
  if (pids) where(`pid IN (${pids.map(() => '?').join()})`, ...pids);
  if (agent !== undefined) where('agent = ?', agent);
  if (rule !== undefined) where('rule = ?', rule);
  if (operation !== undefined) where('operation = ?', operation);
  if (before !== undefined) where('at_ms <= ?', before);
  if (owner !== undefined) where('owner = ?', owner);
  const query = db.prepare(`SELECT * FROM tuned_thread WHERE ${conditions.join(' AND ')} ORDER BY at_ms, pid, tid`);
  query.setReadBigInts(true);
  const unreadable: string[] = [];
  const entries = query.all(...values).flatMap((row) => {
    try {
      return toEntry(row);
    } catch (error) {
      unreadable.push(`the entry of thread ${row['tid']} can't be understood: ${(error as Error).message}`);
      return [];
    }
  });
  return { entries, unreadable };
}
