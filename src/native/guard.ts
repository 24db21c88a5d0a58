/** See `native/addon/guard.h`. */
export interface NativeGuard {
  start(path: string, pid: string, ...command: string[]): number;
  isRunning(): boolean;
  release(): void;
  close(): void;
}
