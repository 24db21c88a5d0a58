import type { Errno } from './errno.ts';

/** See `native/addon/canary.h`. */
export interface NativeCanary {
  start(intervalNs: number): number | Errno;
  take(): BigUint64Array;
  until(): bigint;
  close(): void;
}
