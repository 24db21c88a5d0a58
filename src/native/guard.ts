import type { Errno } from './errno.ts';

/** See `native/addon/guard.h`. */
export interface NativeGuard {
  start(path: string, pid: string, ...command: string[]): number | Errno;
  isRunning(): boolean;
  release(): void;
  close(): void;
}
