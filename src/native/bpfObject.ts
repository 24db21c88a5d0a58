import type { Errno, Outcome } from './errno.ts';

/** Of one program: `missed` counts the runs that the kernel left out as it was running on that CPU already (since 5.12). */
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
  /** `recordsOf` takes apart what the callback is given. */
  listen(map: string, callback: (records: Buffer) => void): Outcome;
  writeMap(map: string, index: number, value: number): Outcome;
  readMap(map: string, index: number): number | Errno;
  setStats(on: boolean): Outcome;
  runTime(): ProgramRuns[] | Errno;
  testRun(program: string, pairs: BigUint64Array): Outcome;
  log(): string;
  close(): void;
}

const LENGTH_BYTES = 4;

/** The records of a ring buffer, in the order in which the kernel wrote them: each comes after its length. */
export function* recordsOf(records: Buffer): Generator<Buffer> {
  for (let at = 0; at < records.length; ) {
    const begin = at + LENGTH_BYTES;
    at = begin + records.readUInt32LE(at);
    yield records.subarray(begin, at);
  }
}
