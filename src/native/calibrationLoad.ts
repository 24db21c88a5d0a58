import type { Errno } from './errno.ts';

/** See `native/addon/calibration_load.h`. */
export interface NativeCalibrationLoad {
  start(): [number, number] | Errno;
  run(turns: number): number | Errno;
  close(): void;
}
