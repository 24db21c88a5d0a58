/** Whether a ledger's write-ahead log is as long as its index says: a file may have been cut, and SQLite would not say so. */
import { readFileSync, statSync } from 'node:fs';
import { uptime } from 'node:os';

/** Of https://sqlite.org/walformat.html: the log begins with a header, each page has one, the index begins with two copies of its own. */
const LOG_HEADER = 32;
const PAGE_HEADER = 24;
const INDEX_HEADER = 48;
/** Somebody may write at the same moment: what is told was so every time. */
const LOOKS = 3;
const PAUSE_MS = 5;

/** What is wrong with the log of a file; undefined when nothing shows. Call it before SQLite opens the file, and mends that. */
export function logProblem(path: string): string | undefined {
  for (let i = 0; i < LOOKS; i++) {
    if (i > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    if (!isCutNow(path)) return undefined;
  }
  return 'a part of its write-ahead log is gone, so there may have been more';
}

function isCutNow(path: string): boolean {
  try {
    return isCut(path);
  } catch (error) {
    // Whoever closes it last removes both.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function isCut(path: string): boolean {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  const index = statSync(`${path}-shm`, { throwIfNoEntry: false });
  // After a crash of the host the two need not fit, and the entries are void.
  if (Math.max(log?.mtimeMs ?? 0, index?.mtimeMs ?? 0) < Date.now() - uptime() * 1_000) return false;
  const said = index ? pagesOf(path) : undefined;
  const { size = 0 } = statSync(`${path}-wal`, { throwIfNoEntry: false }) ?? {};
  if (said) return size < said.bytes;
  const page = size > LOG_HEADER ? readFileSync(`${path}-wal`).readUInt32BE(8) : 0;
  return size > 0 && (size < LOG_HEADER || (page > 0 && (size - LOG_HEADER) % (page + PAGE_HEADER) !== 0));
}

/** What the index knows of the log: how many bytes are needed at least. Undefined when it knows nothing. */
function pagesOf(path: string): { readonly bytes: number } | undefined {
  const index = readFileSync(`${path}-shm`);
  const isWhole = index.length >= 2 * INDEX_HEADER + 4 && index[12] === 1;
  if (!isWhole || index.compare(index, 0, INDEX_HEADER, INDEX_HEADER, 2 * INDEX_HEADER) !== 0) return undefined;
  const [page, pages, copied] = [index.readUInt16LE(14), index.readUInt32LE(16), index.readUInt32LE(2 * INDEX_HEADER)];
  // Pages that were copied into the file itself are not needed any more.
  return { bytes: copied >= pages ? 0 : LOG_HEADER + pages * (PAGE_HEADER + (page === 1 ? 65_536 : page)) };
}
