/** The ledger's file: its path, opening it while other processes use it, and reading it when it can't be written. */
import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { distrust } from '../util/trust.ts';

/** The ledger can't be written or read, so nothing may be tuned. The message names the file and what to do. */
export class LedgerError extends Error {
  constructor(path: string, cause: unknown) {
    super(
      `${path}, the record of what taut changes, can't be used: ${(cause as Error).message}; mend or move it, or use another --state-dir`,
    );
    this.name = 'LedgerError';
  }
}

const LEDGER = 'ledger.db';

export function ledgerPath(stateDir: string): string {
  return join(stateDir, LEDGER);
}

/** What SQLite keeps beside a file: its write-ahead log, and the log's index. */
const BESIDE = ['', '-wal', '-shm'];

/** @throws LedgerError when a stranger may have written it: taut would do what it says. */
export function distrustLedger(stateDir: string): void {
  const problem = distrust(stateDir, ...BESIDE.map((suffix) => `${LEDGER}${suffix}`));
  if (problem !== undefined) throw new LedgerError(ledgerPath(stateDir), new Error(problem));
}

/** Whether there is a ledger that this user may see. For commands that only read: they must not create one. */
export function ledgerExists(stateDir: string): boolean {
  return existsSync(ledgerPath(stateDir));
}

/** Identifies the file at a path by device and inode; undefined when there is none. */
export function fileId(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev} ${stat.ino}`;
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = OFF;
  CREATE TABLE IF NOT EXISTS tuned_thread (
    boot TEXT NOT NULL, pid_ns TEXT NOT NULL, tid INTEGER NOT NULL, start_ticks INTEGER NOT NULL, knob TEXT NOT NULL,
    pid INTEGER NOT NULL, process_start_ticks INTEGER NOT NULL,
    original TEXT NOT NULL, target TEXT NOT NULL,
    agent TEXT NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL, operation TEXT NOT NULL,
    owner TEXT NOT NULL DEFAULT '', heirs_from INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (boot, pid_ns, tid, start_ticks, knob)
  ) STRICT, WITHOUT ROWID`;

/** Columns that older tauts did not have, in the order in which they were added. */
const ADDED = [
  ['owner', "TEXT NOT NULL DEFAULT ''"],
  ['heirs_from', 'INTEGER NOT NULL DEFAULT 0'],
] as const;

/** Selects entries of this boot and this PID namespace: only their thread ids are valid here. */
export const HERE = 'boot = ? AND pid_ns = ?';

/** The two parameters of `HERE`. */
export function here(): readonly [boot: string, pidNamespace: string] {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return [boot, readlinkSync('/proc/self/ns/pid')];
}

/** How long to wait for another taut, also while opening: after a crash, the first to open replays the log alone. */
const BUSY_MS = 2_000;
const RETRY_MS = 5;
const SQLITE_BUSY = 5;

/** Opens or creates the file, with the current schema. @throws an error of SQLite or of the file system. */
export function openFile(path: string): DatabaseSync {
  return patiently(() => open(path));
}

/**
 * Retries `body` while SQLite is busy. SQLite itself does not wait when waiting might deadlock: while another process
 * creates the file or sets its journal mode. @throws as `body`
 */
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

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    db.exec(SCHEMA);
    addColumns(db);
    // Entries of an earlier boot are void: their threads are gone.
    db.prepare('DELETE FROM tuned_thread WHERE boot <> ?').run(here()[0]);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Adds columns to a ledger of an older taut. Its entries then belong to no living process, and every descendant may be an
 * heir.
 */
function addColumns(db: DatabaseSync): void {
  const columns = new Set(
    db
      .prepare('PRAGMA table_info(tuned_thread)')
      .all()
      .map(({ name }) => name),
  );
  for (const [name, definition] of ADDED)
    if (!columns.has(name)) db.exec(`ALTER TABLE tuned_thread ADD COLUMN ${name} ${definition}`);
}

/**
 * Counts the entries on a disk that is full or read-only. If there is a write-ahead log beside the file, SQLite reads
 * it, too, provided that the log's index exists; a file without a log is opened as immutable.
 * @throws LedgerError
 */
export function countUnwritable(stateDir: string): number {
  distrustLedger(stateDir);
  const url = pathToFileURL(ledgerPath(stateDir));
  if (!statSync(`${ledgerPath(stateDir)}-wal`, { throwIfNoEntry: false })?.size) url.search = 'immutable=1';
  try {
    const db = new DatabaseSync(url, { readOnly: true });
    try {
      const row = db.prepare(`SELECT count(*) AS n FROM tuned_thread WHERE ${HERE}`).get(...here());
      return Number(row?.['n'] ?? 0);
    } finally {
      db.close();
    }
  } catch (error) {
    throw new LedgerError(ledgerPath(stateDir), error);
  }
}
