/** See `native/addon/exercise.h`. */
export interface NativeExercise {
  start(): [number, number] | number;
  run(turns: number): number;
  close(): void;
}
