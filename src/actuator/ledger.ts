/**
 * The durable record of every thread that taut changed. A row is committed before the thread is written, and removed
 * after it was put back, so a crash at any instruction leaves what restoring needs.
 *
 * SQLite in WAL mode without fsync: what a process has written stays in the page cache when that process is killed, and
 * a power cut, which loses it, clears every timer slack as well.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** A thread of one boot. `startTicks`: field 22 of its `stat`. */
export interface ThreadIdentity {
  readonly tid: number;
  readonly startTicks: number;
}

export interface LedgerEntry extends ThreadIdentity {
  readonly pid: number;
  readonly processStartTicks: number;
  readonly knob: string;
  readonly original: bigint;
  readonly target: bigint;
  readonly agent: string;
  readonly rule: string;
  readonly reason: string;
  readonly atMs: number;
  /** The span id of the operation that wrote it. */
  readonly operation: string;
}

export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = OFF;
  PRAGMA busy_timeout = 2000;
  CREATE TABLE IF NOT EXISTS entry (
    boot TEXT NOT NULL, tid INTEGER NOT NULL, start_ticks INTEGER NOT NULL, knob TEXT NOT NULL,
    pid INTEGER NOT NULL, process_start_ticks INTEGER NOT NULL,
    original TEXT NOT NULL, target TEXT NOT NULL,
    agent TEXT NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL, operation TEXT NOT NULL,
    PRIMARY KEY (boot, tid, start_ticks, knob)
  ) STRICT`;

export class Ledger implements Disposable {
  readonly path: string;
  readonly #boot = bootId();
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;

  /** Opens or creates `ledger.db` in the state directory. @throws Error naming the file when it can't be used. */
  constructor(stateDir: string) {
    this.path = ledgerPath(stateDir);
    try {
      mkdirSync(stateDir, { recursive: true, mode: 0o700 });
      this.#db = new DatabaseSync(this.path);
      this.#db.exec(SCHEMA);
      chmodSync(this.path, 0o600);
      // Entries of an earlier boot: the boot itself reset every thread.
      this.#db.prepare('DELETE FROM entry WHERE boot <> ?').run(this.#boot);
      // The first original stands: a second tune of a thread must not take the tuned value for its original.
      this.#insert = this.#db.prepare(
        `INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)
         ON CONFLICT DO UPDATE SET target = excluded.target, reason = excluded.reason, operation = excluded.operation`,
      );
      this.#remove = this.#db.prepare('DELETE FROM entry WHERE boot = ? AND tid = ? AND start_ticks = ? AND knob = ?');
    } catch (error) {
      throw new Error(`the ledger ${this.path} can't be used: ${(error as Error).message}`);
    }
  }

  /** Commits the entries as one transaction: all are on record before any of their threads is written. */
  record(entries: readonly LedgerEntry[]): void {
    if (entries.length === 0) return;
    this.#transaction(() => {
      for (const e of entries) {
        const { tid, startTicks, knob, pid, processStartTicks, original, target } = e;
        const values = [pid, processStartTicks, String(original), String(target), e.agent, e.rule, e.reason, e.atMs];
        this.#insert.run(this.#boot, tid, startTicks, knob, ...values, e.operation);
      }
    });
  }

  /** Takes entries off the record: they were put back, or their threads are gone. */
  remove(entries: readonly (ThreadIdentity & { readonly knob: string })[]): void {
    if (entries.length === 0) return;
    this.#transaction(() => {
      for (const e of entries) this.#remove.run(this.#boot, e.tid, e.startTicks, e.knob);
    });
  }

  /** All entries of this boot, or those of one process. */
  entries(pid?: number): LedgerEntry[] {
    const where = pid === undefined ? '' : ' AND pid = ?';
    const rows = this.#db
      .prepare(`SELECT * FROM entry WHERE boot = ?${where} ORDER BY pid, tid`)
      .all(...(pid === undefined ? [this.#boot] : [this.#boot, pid]));
    return rows.map((row) => ({
      tid: Number(row['tid']),
      startTicks: Number(row['start_ticks']),
      knob: String(row['knob']),
      pid: Number(row['pid']),
      processStartTicks: Number(row['process_start_ticks']),
      original: BigInt(String(row['original'])),
      target: BigInt(String(row['target'])),
      agent: String(row['agent']),
      rule: String(row['rule']),
      reason: String(row['reason']),
      atMs: Number(row['at_ms']),
      operation: String(row['operation']),
    }));
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #transaction(body: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      body();
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}

export function ledgerPath(stateDir: string): string {
  return join(stateDir, 'ledger.db');
}

/** Whether there is a ledger at all: reading commands don't create one. */
export function ledgerExists(stateDir: string): boolean {
  return existsSync(ledgerPath(stateDir));
}
