/**
 * The durable record of every thread that taut changed. A row is committed before the thread is written, and removed
 * after the thread was put back, so a crash at any point leaves what restoring needs.
 *
 * It is SQLite in WAL mode without fsync: data that a process has written stays in the page cache when the process is
 * killed. A power cut loses that data, but it also ends every tuned thread.
 */
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { makeFolder } from '../util/folder.ts';
import {
  type Execed,
  key,
  type LedgerEntry,
  type LedgerFilter,
  matches,
  type NewEntry,
  type ThreadKnob,
} from './ledgerEntry.ts';
import { distrustLedger, fileId, HERE, here, hostId, LedgerError, ledgerPath, openFile } from './ledgerFile.ts';
import { COLUMNS } from './ledgerLayout.ts';
import { logProblem } from './ledgerLog.ts';
import { select } from './ledgerQuery.ts';
import { salvage } from './ledgerSalvage.ts';
import { isOff } from './off.ts';
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
  readonly #dataVersion: StatementSync;
  #versionAtRecord = 0;
  /** Why the file can't be used, and this is what could be read of it: what is removed here stays there. */
  readonly unwritable: string | undefined;
  /** What of the file is lost, or can't be read. */
  readonly lost: readonly string[];
  /** Rows of the last `entries` that can't be understood. They stay where they are. */
  unreadable: readonly string[] = [];

  /**
   * Opens or creates `ledger.db` in the state directory. @throws LedgerError when it can't be used.
   * @param unusable if given, the file can't be used, for this reason: then it is left as it is, and read as far as possible.
   */
  constructor(stateDir: string, unusable?: LedgerError) {
    this.path = ledgerPath(stateDir);
    this.unwritable = unusable && (unusable.cause as Error).message;
    distrustLedger(stateDir);
    const mask = process.umask(0o077); // applies to the files that SQLite makes beside the ledger, too
    try {
      if (!unusable) makeFolder(stateDir);
      const problem = unusable ? undefined : logProblem(this.path);
      const { db, lost } = unusable ? salvage(this.path) : { db: openFile(this.path), lost: problem ? [problem] : [] };
      this.#db = db;
      this.lost = lost;
      this.#begin = this.#db.prepare('BEGIN IMMEDIATE');
      this.#commit = this.#db.prepare('COMMIT');
      this.#dataVersion = this.#db.prepare('PRAGMA data_version');
      this.#file = fileId(this.path);
      // `original` is not updated: when a thread is tuned again, its present value is the tuned one.
      this.#insert = this.#db.prepare(
        `INSERT INTO tuned_thread (${COLUMNS.join()}) VALUES (${COLUMNS.map(() => '?').join()})
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

  /**
   * Opens a ledger to put back what is in it, also one that can't be written, is locked or is damaged: see `unwritable`, `lost`
   * and `unreadable`. @throws LedgerError when nothing of it can be read.
   */
  static forRestoring(stateDir: string): Ledger {
    try {
      const ledger = new Ledger(stateDir);
      try {
        ledger.entries();
        return ledger;
      } catch (error) {
        ledger[Symbol.dispose]();
        throw error;
      }
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      return new Ledger(stateDir, error);
    }
  }

  /** Commits the entries in one transaction; call it before any of their threads is written. @throws LedgerError */
  record(entries: readonly NewEntry[]): void {
    if (entries.length === 0) return;
    this.#versionAtRecord = this.#version();
    this.#write(entries, (e) => {
      const { tid, startTicks, knob, pid, processStartTicks, original, target } = e;
      const values = [pid, processStartTicks, String(original), String(target), e.agent, e.rule, e.reason, e.atMs];
      this.#insert.run(
        ...this.#here,
        tid,
        startTicks,
        knob,
        ...values,
        e.operation,
        selfOwner(),
        e.heirsFrom ?? 0,
        hostId(),
      );
    });
    for (const entry of entries) {
      const { target, reason, operation, heirsFrom = 0 } = entry;
      const first = this.#own.get(key(entry)) ?? entry; // keeps the first original, as the INSERT does
      this.#own.set(key(entry), { ...first, target, reason, operation, heirsFrom, owner: selfOwner() });
    }
  }

  /**
   * Which of the entries that were just recorded another process has removed since: `taut restore`, which does not wait for a
   * taut that hangs. They must not be written, and are not on record any more. @throws LedgerError
   */
  withdrawn<T extends ThreadKnob>(entries: readonly T[]): T[] {
    if (this.#file === undefined || this.#version() === this.#versionAtRecord) return [];
    const select = this.#db.prepare(
      `SELECT 1 FROM tuned_thread WHERE ${HERE} AND tid = ? AND start_ticks = ? AND knob = ?`,
    );
    const gone = entries.filter((e) => select.get(...this.#here, e.tid, e.startTicks, e.knob) === undefined);
    for (const entry of gone) this.#own.delete(key(entry));
    return gone;
  }

  /** Changes when another process has written to the file, and at no write of this one. */
  #version(): number {
    return Number(this.#dataVersion.get()?.['data_version']);
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

  /** Whether tuning is off: what is on record must not be written then. */
  isOff(): boolean {
    return isOff(dirname(this.path));
  }

  /** Gives up the file, which is gone: nothing can be recorded any more, and entries are read from memory. */
  abandon(): void {
    this.#file = undefined;
  }

  /** The entries of this boot and PID namespace that the filter selects, oldest first. @throws LedgerError */
  entries(filter: LedgerFilter = {}): LedgerEntry[] {
    if (this.#file === undefined) return [...this.#own.values()].filter((entry) => matches(entry, filter));
    try {
      const { entries, unreadable } = select(this.#db, this.#here, filter);
      this.unreadable = unreadable;
      return entries;
    } catch (error) {
      throw new LedgerError(this.path, error);
    }
  }

  /** How many entries there are of other hosts, earlier boots and other PID namespaces: nobody can put them back here. */
  countElsewhere(): number {
    if (this.#file === undefined) return 0;
    const row = this.#db.prepare(`SELECT count(*) AS n FROM tuned_thread WHERE NOT (${HERE})`).get(...this.#here);
    return Number(row?.['n'] ?? 0);
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
