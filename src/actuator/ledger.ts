/**
 * The durable record of every thread that taut changed. A row is committed before the thread is written, and removed
 * after it was put back, so a crash at any instruction leaves what restoring needs.
 *
 * SQLite in WAL mode without fsync: what a process has written stays in the page cache when that process is killed, and
 * a power cut, which loses it, clears every timer slack as well.
 */
import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

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
  /** The operation that wrote it: also the id of its span. */
  readonly operation: string;
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** Where thread ids mean what they mean: the inode of our PID namespace. */
function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}

/** The record can't be written or read: nothing may be tuned. Names the file and what to do. */
export class LedgerError extends Error {
  constructor(path: string, cause: unknown) {
    super(
      `${path}, the record of what taut changes, can't be used: ${(cause as Error).message}; mend or move it, or use another --state-dir`,
    );
    this.name = 'LedgerError';
  }
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = OFF;
  CREATE TABLE IF NOT EXISTS tuned_thread (
    boot TEXT NOT NULL, pid_ns TEXT NOT NULL, tid INTEGER NOT NULL, start_ticks INTEGER NOT NULL, knob TEXT NOT NULL,
    pid INTEGER NOT NULL, process_start_ticks INTEGER NOT NULL,
    original TEXT NOT NULL, target TEXT NOT NULL,
    agent TEXT NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL, operation TEXT NOT NULL,
    PRIMARY KEY (boot, pid_ns, tid, start_ticks, knob)
  ) STRICT, WITHOUT ROWID`;

/** How long another taut is waited for. From the opening on: the first to open after a crash replays the log alone. */
const BUSY_MS = 2_000;
const RETRY_MS = 5;
const SQLITE_BUSY = 5;

const HERE = 'boot = ? AND pid_ns = ?';

/** Which entries: all that are given must hold. */
export interface LedgerFilter {
  readonly pids?: readonly number[];
  readonly agent?: string;
  readonly rule?: string;
  /** The operation that last wrote it. */
  readonly operation?: string;
  /** Written at this time or before, milliseconds since the epoch. */
  readonly before?: number;
}

/** SQLite does not wait where waiting might deadlock: while another makes the file, or its mode. @throws as `body` */
function patiently<T>(body: () => T): T {
  const deadline = performance.now() + BUSY_MS;
  for (;;) {
    try {
      return body();
    } catch (error) {
      const isBusy = (Number((error as { errcode?: number }).errcode) & 0xff) === SQLITE_BUSY;
      if (!isBusy || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

function open(path: string, boot: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    db.exec(SCHEMA);
    // Entries of an earlier boot: the boot itself reset every thread.
    db.prepare('DELETE FROM tuned_thread WHERE boot <> ?').run(boot);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export class Ledger implements Disposable {
  readonly path: string;
  readonly #here = [bootId(), pidNamespace()] as const;
  readonly #db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;

  /** Opens or creates `ledger.db` in the state directory. @throws LedgerError when it can't be used. */
  constructor(stateDir: string) {
    this.path = ledgerPath(stateDir);
    const mask = process.umask(0o077); // of the files that SQLite makes beside it, too
    try {
      mkdirSync(stateDir, { recursive: true, mode: 0o700 });
      this.#db = patiently(() => open(this.path, this.#here[0]));
      this.#begin = this.#db.prepare('BEGIN IMMEDIATE');
      this.#commit = this.#db.prepare('COMMIT');
      // The first original stands: a second tune of a thread must not take the tuned value for its original.
      this.#insert = this.#db.prepare(
        `INSERT INTO tuned_thread VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)
         ON CONFLICT DO UPDATE SET target = excluded.target, reason = excluded.reason, operation = excluded.operation`,
      );
      this.#remove = this.#db.prepare(
        `DELETE FROM tuned_thread WHERE ${HERE} AND tid = ? AND start_ticks = ? AND knob = ?`,
      );
    } catch (error) {
      throw new LedgerError(this.path, error);
    } finally {
      process.umask(mask);
    }
  }

  /** Commits the entries as one transaction: all are on record before any of their threads is written. @throws LedgerError */
  record(entries: readonly LedgerEntry[]): void {
    if (entries.length === 0) return;
    this.#write(entries, (e) => {
      const { tid, startTicks, knob, pid, processStartTicks, original, target } = e;
      const values = [pid, processStartTicks, String(original), String(target), e.agent, e.rule, e.reason, e.atMs];
      this.#insert.run(...this.#here, tid, startTicks, knob, ...values, e.operation);
    });
  }

  /** Takes entries off the record: they were put back, or their threads are gone. @throws LedgerError */
  remove(entries: readonly (ThreadIdentity & { readonly knob: string })[]): void {
    if (entries.length === 0) return;
    this.#write(entries, (e) => this.#remove.run(...this.#here, e.tid, e.startTicks, e.knob));
  }

  /** The entries of this boot and PID namespace, in the order in which they were made. @throws LedgerError */
  entries({ pids, agent, rule, operation, before }: LedgerFilter = {}): LedgerEntry[] {
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

  count(): number {
    const row = this.#db.prepare(`SELECT count(*) AS n FROM tuned_thread WHERE ${HERE}`).get(...this.#here);
    return Number(row?.['n'] ?? 0);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  /** All or none. A statement alone is its own transaction. */
  #write<T>(entries: readonly T[], write: (entry: T) => void): void {
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

function toEntry(row: Record<string, SQLOutputValue>): LedgerEntry {
  const number = (column: string) => Number(row[column]);
  const text = (column: string) => String(row[column]);
  return {
    tid: number('tid'),
    startTicks: number('start_ticks'),
    knob: text('knob'),
    pid: number('pid'),
    processStartTicks: number('process_start_ticks'),
    original: BigInt(text('original')),
    target: BigInt(text('target')),
    agent: text('agent'),
    rule: text('rule'),
    reason: text('reason'),
    atMs: number('at_ms'),
    operation: text('operation'),
  };
}

export function ledgerPath(stateDir: string): string {
  return join(stateDir, 'ledger.db');
}

/**
 * How many entries there are, where nothing can be written: on a disk that is full or read-only. What a log beside the
 * file holds is read with it, as long as that log's index is there as well; a file without a log is read as it is.
 * @throws LedgerError
 */
export function countUnwritable(stateDir: string): number {
  const url = pathToFileURL(ledgerPath(stateDir));
  if (!statSync(`${ledgerPath(stateDir)}-wal`, { throwIfNoEntry: false })?.size) url.search = 'immutable=1';
  try {
    const db = new DatabaseSync(url, { readOnly: true });
    try {
      const row = db.prepare(`SELECT count(*) AS n FROM tuned_thread WHERE ${HERE}`).get(bootId(), pidNamespace());
      return Number(row?.['n'] ?? 0);
    } finally {
      db.close();
    }
  } catch (error) {
    throw new LedgerError(ledgerPath(stateDir), error);
  }
}

/** Whether there is a ledger at all: reading commands don't create one. */
export function ledgerExists(stateDir: string): boolean {
  return existsSync(ledgerPath(stateDir));
}
