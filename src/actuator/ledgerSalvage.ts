/**
 * Reads a ledger that SQLite can't use where it is: on a file system that is full or read-only, locked by a process that hangs,
 * or damaged. Whatever can be read goes into a database in memory; the file stays as it is.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { COLUMNS, CREATE_TABLE, KEY, prepare, understand } from './ledgerLayout.ts';
import { logProblem } from './ledgerLog.ts';

export interface Salvaged {
  readonly db: DatabaseSync;
  /** What could not be read. */
  readonly lost: readonly string[];
}

type Row = Record<string, SQLOutputValue>;

/** @throws an error of SQLite or of the file system when nothing can be read. */
export function salvage(path: string): Salvaged {
  const lost = logProblem(path) ?? [];
  const scratch = scratchDirectory();
  try {
    // Without a place for a copy, SQLite may still be able to read the file itself.
    using db = scratch === undefined ? new DatabaseSync(path, { readOnly: true }) : copyOf(path, scratch);
    understand(db);
    if (scratch !== undefined) prepare(db);
    const { rows, damage } = readAll(db);
    const problem = damage === undefined ? [] : [`a part of it can't be read (${damage})`];
    return { db: inMemory(rows), lost: [lost, problem].flat() };
  } finally {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}

/** A directory in memory, if there is one: the disk of temporary files may be the one that is full. */
function scratchDirectory(): string | undefined {
  for (const place of ['/dev/shm', '/run', tmpdir()])
    try {
      return mkdtempSync(join(place, 'taut-ledger-'));
    } catch {
      // the next one
    }
  return undefined;
}

/** How often a copy is made that no writer came between. */
const COPIES = 5;

/** Not the log's index: SQLite makes it again from what the log has. */
function copyOf(path: string, scratch: string): DatabaseSync {
  const files = [`${path}-wal`, path];
  const state = () =>
    files.map((file) => {
      const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
      return stat && `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
    });
  for (let i = 0; i < COPIES; i++) {
    const before = String(state());
    for (const file of files) {
      rmSync(join(scratch, basename(file)), { force: true });
      if (existsSync(file)) copyFileSync(file, join(scratch, basename(file)));
    }
    if (String(state()) === before) break;
  }
  return new DatabaseSync(join(scratch, basename(path)));
}

/** Reads the table from both ends: damage in the middle hides only what lies there. */
function readAll(db: DatabaseSync): { readonly rows: readonly Row[]; readonly damage: string | undefined } {
  const rows = new Map<string, Row>();
  let damage: string | undefined;
  for (const direction of ['ASC', 'DESC']) {
    try {
      const order = KEY.map((column) => `${column} ${direction}`).join();
      const select = db.prepare(`SELECT * FROM tuned_thread ORDER BY ${order}`);
      select.setReadBigInts(true);
      for (const row of select.iterate()) rows.set(KEY.map((column) => String(row[column])).join(' '), row);
      if (damage === undefined) break;
    } catch (error) {
      damage = (error as Error).message;
    }
  }
  return { rows: [...rows.values()], damage };
}

function inMemory(rows: readonly Row[]): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  db.exec(CREATE_TABLE);
  for (const row of rows) {
    const names = COLUMNS.filter((name) => name in row);
    const insert = `INSERT OR REPLACE INTO tuned_thread (${names.join()}) VALUES (${names.map(() => '?').join()})`;
    db.prepare(insert).run(...names.map((name) => row[name] ?? null));
  }
  return db;
}
