/** See `native/addon/canary.h`. */
export interface NativeCanary {
  start(intervalNs: number): number;
  take(): BigUint64Array;
  until(): bigint;
  close(): void;
}
