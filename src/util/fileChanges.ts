/** Detects that a file has changed since it was read. Polling also sees a rename over the file and a swapped link. */
import { statSync } from 'node:fs';

/** Identifies one state of a file. Take it before reading the file, so that no change is missed. */
export type FileState = string;

export function fileState(path: string): FileState {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    // The last of them also changes when it may be read again, or no more.
    return stat ? `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}` : 'missing';
  } catch (error) {
    // For instance a folder that taut may not enter: the code that reads the file reports it.
    return `unreadable: ${(error as NodeJS.ErrnoException).code}`;
  }
}

/**
 * Calls back within `intervalMs` milliseconds after each change since `state`, and again if the callback returns false, as it could
 * not look at it. Does not keep the process alive.
 */
export function onFileChange(path: string, state: FileState, intervalMs: number, callback: () => unknown): Disposable {
  let last: FileState | undefined = state;
  const timer = setInterval(() => {
    const now = fileState(path);
    if (now === last) return;
    last = callback() === false ? undefined : now;
  }, intervalMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
