/** The table of the ledger. A ledger of a layout that this taut does not know is left as it is. */
import type { DatabaseSync } from 'node:sqlite';

/** Counts up with each change that older tauts can't read. SQLite keeps it in the file's header. */
const LAYOUT = 1;

const FIRST_COLUMNS = {
  boot: 'TEXT NOT NULL',
  pid_ns: 'TEXT NOT NULL',
  tid: 'INTEGER NOT NULL',
  start_ticks: 'INTEGER NOT NULL',
  knob: 'TEXT NOT NULL',
  pid: 'INTEGER NOT NULL',
  process_start_ticks: 'INTEGER NOT NULL',
  original: 'TEXT NOT NULL',
  target: 'TEXT NOT NULL',
  agent: 'TEXT NOT NULL',
  rule: 'TEXT NOT NULL',
  reason: 'TEXT NOT NULL',
  at_ms: 'INTEGER NOT NULL',
  operation: 'TEXT NOT NULL',
};

/** Columns that older tauts did not have: their entries belong to no living taut, every descendant may be an heir. */
const ADDED_COLUMNS = {
  owner: "TEXT NOT NULL DEFAULT ''",
  heirs_from: 'INTEGER NOT NULL DEFAULT 0',
  host: "TEXT NOT NULL DEFAULT ''",
};

const ALL = { ...FIRST_COLUMNS, ...ADDED_COLUMNS };
export const COLUMNS: readonly string[] = Object.keys(ALL);
export const KEY = ['boot', 'pid_ns', 'tid', 'start_ticks', 'knob'] as const;

export const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS tuned_thread (
  ${Object.entries(ALL)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ')}, PRIMARY KEY (${KEY.join()})) STRICT, WITHOUT ROWID`;

/** Checks that this taut understands the file, which may be new. Writes nothing. @throws Error with what it is instead. */
export function understand(db: DatabaseSync): void {
  const version = versionOf(db);
  if (version > LAYOUT) throw new Error(`a later taut made it (layout ${version}; this one knows ${LAYOUT})`);
  const columns = columnsOf(db);
  const unknown = columns.filter((name) => !COLUMNS.includes(name));
  const missing = columns.length === 0 ? [] : Object.keys(FIRST_COLUMNS).filter((name) => !columns.includes(name));
  if (unknown.length > 0) throw new Error(`this taut does not know its columns ${unknown.join(', ')}`);
  if (missing.length > 0) throw new Error(`it has no columns ${missing.join(', ')}`);
}

/** Gives a file that this taut understands the present layout. Writes just where something is missing. */
export function prepare(db: DatabaseSync): void {
  db.exec(CREATE_TABLE);
  const columns = columnsOf(db);
  for (const [name, definition] of Object.entries(ADDED_COLUMNS))
    if (!columns.includes(name)) db.exec(`ALTER TABLE tuned_thread ADD COLUMN ${name} ${definition}`);
  if (versionOf(db) !== LAYOUT) db.exec(`PRAGMA user_version = ${LAYOUT}`);
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
}

function columnsOf(db: DatabaseSync): string[] {
  return db
    .prepare('PRAGMA table_info(tuned_thread)')
    .all()
    .map(({ name }) => String(name));
}
