/** The file of the ledger: where it is, how it is opened beside others that use it, and how it is read where it can't be. */
import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/** The record can't be written or read: nothing may be tuned. Names the file and what to do. */
export class LedgerError extends Error {
  constructor(path: string, cause: unknown) {
    super(
      `${path}, the record of what taut changes, can't be used: ${(cause as Error).message}; mend or move it, or use another --state-dir`,
    );
    this.name = 'LedgerError';
  }
}

export function ledgerPath(stateDir: string): string {
  return join(stateDir, 'ledger.db');
}

/** Whether there is a ledger that this user may see: reading commands don't create one. */
export function ledgerExists(stateDir: string): boolean {
  return existsSync(ledgerPath(stateDir));
}

/** Which file is at a path; undefined when there is none. */
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
    owner TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (boot, pid_ns, tid, start_ticks, knob)
  ) STRICT, WITHOUT ROWID`;

/** Entries whose thread ids mean what they mean here: of this boot, in this PID namespace. */
export const HERE = 'boot = ? AND pid_ns = ?';

/** The values of `HERE`. */
export function here(): readonly [boot: string, pidNamespace: string] {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return [boot, readlinkSync('/proc/self/ns/pid')];
}

/** How long another taut is waited for. From the opening on: the first to open after a crash replays the log alone. */
const BUSY_MS = 2_000;
const RETRY_MS = 5;
const SQLITE_BUSY = 5;

/** Opens or creates the file, with the schema of today. @throws an error of SQLite's, or of the file system. */
export function openFile(path: string): DatabaseSync {
  return patiently(() => open(path));
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

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    db.exec(SCHEMA);
    addOwner(db);
    // Entries of an earlier boot: the boot itself reset every thread.
    db.prepare('DELETE FROM tuned_thread WHERE boot <> ?').run(here()[0]);
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
      const row = db.prepare(`SELECT count(*) AS n FROM tuned_thread WHERE ${HERE}`).get(...here());
      return Number(row?.['n'] ?? 0);
    } finally {
      db.close();
    }
  } catch (error) {
    throw new LedgerError(ledgerPath(stateDir), error);
  }
}
