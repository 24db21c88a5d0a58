/**
 * The durable record of every thread that taut changed. A row is committed before the thread is written, and removed
 * after it was put back, so a crash at any instruction leaves what restoring needs.
 *
 * SQLite in WAL mode without fsync: what a process has written stays in the page cache when that process is killed, and
 * a power cut, which loses it, clears every timer slack as well.
 */
import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import {
  key,
  type LedgerEntry,
  type LedgerFilter,
  matches,
  type NewEntry,
  type ThreadKnob,
  toEntry,
} from './ledgerEntry.ts';
import { isOwnerAlive, type Owner, selfOwner } from './owner.ts';

export type { LedgerEntry, LedgerFilter, NewEntry, ThreadIdentity } from './ledgerEntry.ts';

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
    owner TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (boot, pid_ns, tid, start_ticks, knob)
  ) STRICT, WITHOUT ROWID`;

/** How long another taut is waited for. From the opening on: the first to open after a crash replays the log alone. */
const BUSY_MS = 2_000;
const RETRY_MS = 5;
const SQLITE_BUSY = 5;

const HERE = 'boot = ? AND pid_ns = ?';

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
    addOwner(db);
    // Entries of an earlier boot: the boot itself reset every thread.
    db.prepare('DELETE FROM tuned_thread WHERE boot <> ?').run(boot);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A ledger that an older taut made does not say whose its entries are: nobody's that lives. */
function addOwner(db: DatabaseSync): void {
  const columns = db.prepare('PRAGMA table_info(tuned_thread)').all();
  if (columns.some(({ name }) => name === 'owner')) return;
  db.exec("ALTER TABLE tuned_thread ADD COLUMN owner TEXT NOT NULL DEFAULT ''");
}

export class Ledger implements Disposable {
  readonly path: string;
  /** What this process has put on record, for when the file is gone. */
  readonly #own = new Map<string, LedgerEntry>();
  #file: string | undefined;
  readonly #here = [bootId(), pidNamespace()] as const;
  readonly #db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #holds: StatementSync;

  /** Opens or creates `ledger.db` in the state directory. @throws LedgerError when it can't be used. */
  constructor(stateDir: string) {
    this.path = ledgerPath(stateDir);
    const mask = process.umask(0o077); // of the files that SQLite makes beside it, too
    try {
      mkdirSync(stateDir, { recursive: true, mode: 0o700 });
      this.#db = patiently(() => open(this.path, this.#here[0]));
      this.#begin = this.#db.prepare('BEGIN IMMEDIATE');
      this.#commit = this.#db.prepare('COMMIT');
      this.#file = fileId(this.path);
      // The first original stands: a second tune of a thread must not take the tuned value for its original.
      this.#insert = this.#db.prepare(
        `INSERT INTO tuned_thread VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
         ON CONFLICT DO UPDATE SET target = excluded.target, reason = excluded.reason, operation = excluded.operation,
           owner = excluded.owner`,
      );
      this.#remove = this.#db.prepare(
        `DELETE FROM tuned_thread WHERE ${HERE} AND tid = ? AND start_ticks = ? AND knob = ?`,
      );
      this.#holds = this.#db.prepare(`SELECT 1 FROM tuned_thread WHERE ${HERE} AND tid = ? LIMIT 1`);
    } catch (error) {
      throw new LedgerError(this.path, error);
    } finally {
      process.umask(mask);
    }
  }

  /** Commits the entries as one transaction: all are on record before any of their threads is written. @throws LedgerError */
  record(entries: readonly NewEntry[]): void {
    if (entries.length === 0) return;
    this.#write(entries, (e) => {
      const { tid, startTicks, knob, pid, processStartTicks, original, target } = e;
      const values = [pid, processStartTicks, String(original), String(target), e.agent, e.rule, e.reason, e.atMs];
      this.#insert.run(...this.#here, tid, startTicks, knob, ...values, e.operation, selfOwner());
    });
    for (const entry of entries) {
      const { target, reason, operation } = entry;
      const first = this.#own.get(key(entry)) ?? entry; // as the INSERT has it
      this.#own.set(key(entry), { ...first, target, reason, operation, owner: selfOwner() });
    }
  }

  /** Takes entries off the record: they were put back, or their threads are gone. @throws LedgerError */
  remove(entries: readonly ThreadKnob[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) this.#own.delete(key(entry));
    if (this.#file !== undefined)
      this.#write(entries, (e) => this.#remove.run(...this.#here, e.tid, e.startTicks, e.knob));
  }

  /** Names what an operation of this process's was about. @throws LedgerError */
  describe(operation: string, named: Pick<LedgerEntry, 'agent' | 'rule' | 'reason'>): void {
    const { agent, rule, reason } = named;
    for (const [key, entry] of this.#own)
      if (entry.operation === operation) this.#own.set(key, { ...entry, agent, rule, reason });
    const update = `UPDATE tuned_thread SET agent = ?, rule = ?, reason = ? WHERE ${HERE} AND operation = ?`;
    this.#write([operation], (id) => this.#db.prepare(update).run(agent, rule, reason, ...this.#here, id));
  }

  /** How many entries this process has on record. */
  get ownCount(): number {
    return this.#own.size;
  }

  /** Whether the file is still where it was: not removed, renamed or replaced with its directory. */
  isInPlace(): boolean {
    try {
      return fileId(this.path) === this.#file;
    } catch {
      return true; // a folder that may not be entered now: that says nothing of the file
    }
  }

  /** The file is gone: from now on nothing can be put on record, and what is, is read from memory. */
  abandon(): void {
    this.#file = undefined;
  }

  /** The entries of this boot and PID namespace, in the order in which they were made. @throws LedgerError */
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

  /** Whether anything is on record for a thread of this id. */
  holds(tid: number): boolean {
    if (this.#file === undefined) return [...this.#own.values()].some((entry) => entry.tid === tid);
    return this.#holds.get(...this.#here, tid) !== undefined;
  }

  /** Entries of this process, as the file has them: `taut restore` may have taken some off. @throws LedgerError */
  own(): LedgerEntry[] {
    const entries = this.entries({ owner: selfOwner() });
    this.#own.clear();
    for (const entry of entries) this.#own.set(key(entry), entry);
    return entries;
  }

  /** Entries whose taut is gone: whoever comes first puts them back. @throws LedgerError */
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

  /** All or none. A statement alone is its own transaction. */
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

/** Undefined when there is no such file. */
function fileId(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev} ${stat.ino}`;
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

/** Whether there is a ledger that this user may see: reading commands don't create one. */
export function ledgerExists(stateDir: string): boolean {
  return existsSync(ledgerPath(stateDir));
}
