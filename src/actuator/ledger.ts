/**
 * The durable record of every thread that taut changed. A row is committed before the thread is written, and removed
 * after the thread was put back, so a crash at any point leaves what restoring needs.
 *
 * It is SQLite in WAL mode without fsync: data that a process has written stays in the page cache when the process is
 * killed. A power cut loses that data, but it also ends every tuned thread.
 */
import { mkdirSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type Execed,
  key,
  type LedgerEntry,
  type LedgerFilter,
  matches,
  type NewEntry,
  type ThreadKnob,
  toEntry,
} from './ledgerEntry.ts';
import { distrustLedger, fileId, HERE, here, LedgerError, ledgerPath, openFile } from './ledgerFile.ts';
import { isOwnerAlive, type Owner, selfOwner } from './owner.ts';

export type { Execed, LedgerEntry, LedgerFilter, NewEntry, ThreadIdentity } from './ledgerEntry.ts';

export class Ledger implements Disposable {
  readonly path: string;
  /** This process's own entries, needed if the file is removed. */
  readonly #own = new Map<string, LedgerEntry>();
  #file: string | undefined;
  readonly #here = here();
  readonly #db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #holds: StatementSync;

  /** Opens or creates `ledger.db` in the state directory. @throws LedgerError when it can't be used. */
  constructor(stateDir: string) {
    this.path = ledgerPath(stateDir);
    distrustLedger(stateDir);
    const mask = process.umask(0o077); // applies to the files that SQLite makes beside the ledger, too
    try {
      mkdirSync(stateDir, { recursive: true, mode: 0o700 });
      this.#db = openFile(this.path);
      this.#begin = this.#db.prepare('BEGIN IMMEDIATE');
      this.#commit = this.#db.prepare('COMMIT');
      this.#file = fileId(this.path);
      // `original` is not updated: when a thread is tuned again, its present value is the tuned one.
      this.#insert = this.#db.prepare(
        `INSERT INTO tuned_thread VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
         ON CONFLICT DO UPDATE SET target = excluded.target, reason = excluded.reason, operation = excluded.operation,
           owner = excluded.owner, heirs_from = excluded.heirs_from`,
      );
      this.#remove = this.#db.prepare(
        `DELETE FROM tuned_thread WHERE ${HERE} AND tid = ? AND start_ticks = ? AND knob = ?`,
      );
      this.#holds = this.#db.prepare(
        `SELECT 1 FROM tuned_thread WHERE ${HERE} AND tid = ? AND knob = coalesce(?, knob) LIMIT 1`,
      );
    } catch (error) {
      throw new LedgerError(this.path, error);
    } finally {
      process.umask(mask);
    }
  }

  /** Commits the entries in one transaction; call it before any of their threads is written. @throws LedgerError */
  record(entries: readonly NewEntry[]): void {
    if (entries.length === 0) return;
    this.#write(entries, (e) => {
      const { tid, startTicks, knob, pid, processStartTicks, original, target } = e;
      const values = [pid, processStartTicks, String(original), String(target), e.agent, e.rule, e.reason, e.atMs];
      this.#insert.run(...this.#here, tid, startTicks, knob, ...values, e.operation, selfOwner(), e.heirsFrom ?? 0);
    });
    for (const entry of entries) {
      const { target, reason, operation, heirsFrom = 0 } = entry;
      const first = this.#own.get(key(entry)) ?? entry; // keeps the first original, as the INSERT does
      this.#own.set(key(entry), { ...first, target, reason, operation, heirsFrom, owner: selfOwner() });
    }
  }

  /** Removes entries whose threads were put back or are gone. @throws LedgerError */
  remove(entries: readonly ThreadKnob[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) this.#own.delete(key(entry));
    if (this.#file !== undefined)
      this.#write(entries, (e) => this.#remove.run(...this.#here, e.tid, e.startTicks, e.knob));
  }

  /** Changes from when on their processes can have heirs. @throws LedgerError */
  settle(entries: readonly ThreadKnob[], heirsFrom: number): void {
    for (const entry of entries) {
      const own = this.#own.get(key(entry));
      if (own) this.#own.set(key(entry), { ...own, heirsFrom });
    }
    const update = this.#db.prepare(
      `UPDATE tuned_thread SET heirs_from = ? WHERE ${HERE} AND tid = ? AND start_ticks = ? AND knob = ?`,
    );
    this.#write(entries, (e) => update.run(heirsFrom, ...this.#here, e.tid, e.startTicks, e.knob));
  }

  /** Changes agent, rule and reason in the entries of one operation of this process. @throws LedgerError */
  describe(operation: string, named: Pick<LedgerEntry, 'agent' | 'rule' | 'reason'>): void {
    const { agent, rule, reason } = named;
    for (const [key, entry] of this.#own)
      if (entry.operation === operation) this.#own.set(key, { ...entry, agent, rule, reason });
    const update = `UPDATE tuned_thread SET agent = ?, rule = ?, reason = ? WHERE ${HERE} AND operation = ?`;
    this.#write([operation], (id) => this.#db.prepare(update).run(agent, rule, reason, ...this.#here, id));
  }

  /**
   * Gives the entries of a thread its new identity, in one transaction; an entry of the leader that was is replaced.
   * Another taut with this ledger may have done it before. @returns the entries as they were. @throws LedgerError
   */
  carryOver({ pid, processStartTicks, tid }: Execed): LedgerEntry[] {
    const is = (entry: LedgerEntry) => entry.tid === tid && entry.processStartTicks === processStartTicks;
    const leader = { tid: pid, startTicks: processStartTicks };
    const own = [...this.#own.values()].filter((entry) => entry.pid === pid && is(entry));
    for (const entry of own) {
      this.#own.delete(key(entry));
      this.#own.set(key({ ...entry, ...leader }), { ...entry, ...leader });
    }
    if (this.#file === undefined || !this.holds(tid)) return own;
    const kept = this.entries({ pids: [pid] }).filter(is);
    const update = `UPDATE OR REPLACE tuned_thread SET tid = ?, start_ticks = ? WHERE ${HERE} AND tid = ? AND start_ticks = ? AND knob = ?`;
    this.#write(kept, (e) =>
      this.#db.prepare(update).run(pid, processStartTicks, ...this.#here, tid, e.startTicks, e.knob),
    );
    return [...new Map([...own, ...kept].map((entry) => [key(entry), entry])).values()];
  }

  /** How many entries this process has. */
  get ownCount(): number {
    return this.#own.size;
  }

  /** Whether the file is still at its path: not removed, renamed or replaced, alone or with its directory. */
  isInPlace(): boolean {
    try {
      return fileId(this.path) === this.#file;
    } catch {
      return true; // the directory can't be entered now, which says nothing about the file
    }
  }

  /** Gives up the file, which is gone: nothing can be recorded any more, and entries are read from memory. */
  abandon(): void {
    this.#file = undefined;
  }

  /** The entries of this boot and PID namespace that the filter selects, oldest first. @throws LedgerError */
  entries(filter: LedgerFilter = {}): LedgerEntry[] {
    if (this.#file === undefined) return [...this.#own.values()].filter((entry) => matches(entry, filter));
    const { pids, agent, rule, operation, before, owner } = filter;
    const conditions: string[] = [HERE];
    const values: (string | number)[] = [...this.#here];
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
    try {
      const query = `SELECT * FROM tuned_thread WHERE ${conditions.join(' AND ')} ORDER BY at_ms, pid, tid`;
      return this.#db
        .prepare(query)
        .all(...values)
        .map(toEntry);
    } catch (error) {
      throw new LedgerError(this.path, error);
    }
  }

  /** Whether there is an entry for a thread with this id: for a knob, or, without one, for any. */
  holds(tid: number, knob?: string): boolean {
    const isIt = (entry: LedgerEntry) => entry.tid === tid && (knob === undefined || entry.knob === knob);
    if (this.#file === undefined) return [...this.#own.values()].some(isIt);
    return this.#holds.get(...this.#here, tid, knob ?? null) !== undefined;
  }

  /** Entries of this process, read from the file: `taut restore` may have removed some. @throws LedgerError */
  own(): LedgerEntry[] {
    const entries = this.entries({ owner: selfOwner() });
    this.#own.clear();
    for (const entry of entries) this.#own.set(key(entry), entry);
    return entries;
  }

  /** Entries of taut processes that have ended: any taut may put them back. @throws LedgerError */
  orphans(): LedgerEntry[] {
    const alive = new Map<Owner, boolean>();
    return this.entries().filter(({ owner }) => {
      const known = alive.get(owner) ?? isOwnerAlive(owner);
      alive.set(owner, known);
      return !known;
    });
  }

  count(): number {
    if (this.#file === undefined) return this.#own.size;
    const row = this.#db.prepare(`SELECT count(*) AS n FROM tuned_thread WHERE ${HERE}`).get(...this.#here);
    return Number(row?.['n'] ?? 0);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  /** Writes all entries or none. A single statement is its own transaction. */
  #write<T>(entries: readonly T[], write: (entry: T) => void): void {
    if (this.#file === undefined) throw new LedgerError(this.path, new Error('it was removed or replaced'));
    try {
      if (entries.length === 1) return entries.forEach(write);
      this.#begin.run();
      try {
        entries.forEach(write);
        this.#commit.run();
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    } catch (error) {
      throw new LedgerError(this.path, error);
    }
  }
}
