import type { Errno, Outcome } from './errno.ts';

/** One program's runs. `missed` (since 5.12): runs that the kernel skipped, as the program already ran on that CPU. */
export interface ProgramRuns {
  readonly name: string;
  readonly ns: number;
  readonly runs: number;
  readonly missed: number;
}

/** Every call returns data or `-errno`. See `native/addon/bpf_object.h`. */
export interface NativeBpfObject {
  open(path: string): Outcome;
  omitFeatures(): Outcome;
  omitProgram(program: string): Outcome;
  load(): Outcome;
  attach(program: string): Outcome;
  attachToCgroup(program: string, directory: string): Outcome;
  detach(program: string): Outcome;
  /** Adds a ring buffer to read from, before `listen`. Each turn of the event loop takes at most `most` records of it. */
  addRing(map: string, most: number): Outcome;
  /**
   * The records of a turn come in the order of their times, which are at `timeAt` in each. The callback's buffer is
   * overwritten after the callback returns; `recordBounds` splits it into records.
   */
  listen(timeAt: number, callback: (buffer: Buffer, length: number) => void): Outcome;
  writeMap(map: string, index: number, value: number): Outcome;
  readMap(map: string, index: number): number | Errno;
  setStats(on: boolean): Outcome;
  runTime(): ProgramRuns[] | Errno;
  testRun(program: string, pairs: BigUint64Array): Outcome;
  log(): string;
  close(): void;
}

const LENGTH_BYTES = 4;

/** Begin and end of each record of a ring buffer, in the kernel's order. The length of a record comes before it. */
export function recordBounds(records: DataView): [begin: number, end: number][] {
  const bounds: [number, number][] = [];
  for (let at = 0; at < records.byteLength; ) {
    const begin = at + LENGTH_BYTES;
    at = begin + records.getUint32(at, true);
    bounds.push([begin, at]);
  }
  return bounds;
}
