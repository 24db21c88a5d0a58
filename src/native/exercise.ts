import type { Errno } from './errno.ts';

/** See `native/addon/exercise.h`. */
export interface NativeExercise {
  start(): [number, number] | Errno;
  run(turns: number): number | Errno;
  close(): void;
}
