/** The ledger's file: its path, whose it is, and opening it while other processes use it. */
import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { digest } from '../util/digest.ts';
import { distrust } from '../util/trust.ts';
import { prepare, understand } from './ledgerLayout.ts';

/** The ledger can't be written or read, so nothing may be tuned. The message names the file and what to do. */
export class LedgerError extends Error {
  constructor(path: string, cause: unknown) {
    super(
      `${path}, the record of what taut changes, can't be used: ${(cause as Error).message}; mend or move it, or use another --state-dir`,
    );
    this.name = 'LedgerError';
    this.cause = cause;
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

/** Selects entries of this boot and this PID namespace: only their thread ids are valid here. */
export const HERE = 'boot = ? AND pid_ns = ?';

/** The two parameters of `HERE`. */
export function here(): readonly [boot: string, pidNamespace: string] {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return [boot, readlinkSync('/proc/self/ns/pid')];
}

let host: string | undefined;

/** Tells this host from others that share a state directory over the network. It is the same at each boot. */
export function hostId(): string {
  host ??= digest(`taut ${machineId()}`);
  return host;
}

function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'latin1').trim() || hostname();
  } catch {
    return hostname();
  }
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
    understand(db);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
    prepare(db);
    dropEarlierBoots(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Entries of an earlier boot of this host are void: their threads are gone. Those of other hosts may not be. */
function dropEarlierBoots(db: DatabaseSync): void {
  const earlier = 'FROM tuned_thread WHERE boot <> ? AND host = ?';
  const [boot] = here();
  if (db.prepare(`SELECT 1 ${earlier} LIMIT 1`).get(boot, hostId()))
    db.prepare(`DELETE ${earlier}`).run(boot, hostId());
}
