/** Tells that a file is another than it was when it was last read. Polls: that sees a rename over it and a swapped link as well. */
import { statSync } from 'node:fs';

/** What tells one state of a file from another; take it before reading the file, so that no change is missed. */
export type FileState = string;

export function fileState(path: string): FileState {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat ? `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs}` : 'missing';
  } catch (error) {
    // A folder on the way that may not be entered, say: whoever reads the file says so.
    return `unreadable: ${(error as NodeJS.ErrnoException).code}`;
  }
}

/** Calls back after each change since `state`, within `intervalMs` milliseconds; keeps nothing alive. Dispose ends it. */
export function onFileChange(path: string, state: FileState, intervalMs: number, callback: () => void): Disposable {
  let last = state;
  const timer = setInterval(() => {
    const now = fileState(path);
    if (now === last) return;
    last = now;
    callback();
  }, intervalMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
