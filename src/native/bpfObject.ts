/** Of one program: `missed` counts the runs that the kernel left out as it was running on that CPU already (since 5.12). */
export interface ProgramRuns {
  readonly name: string;
  readonly ns: number;
  readonly runs: number;
  readonly missed: number;
}

/** Every call returns data or `-errno`. See `native/addon/bpf_object.h`. */
export interface NativeBpfObject {
  open(path: string): number;
  omitFeatures(): number;
  omitProgram(program: string): number;
  load(): number;
  attach(program: string): number;
  attachToCgroup(program: string, directory: string): number;
  detach(program: string): number;
  /** `recordsOf` takes apart what the callback is given. */
  listen(map: string, callback: (records: Buffer) => void): number;
  writeMap(map: string, index: number, value: number): number;
  readMap(map: string, index: number): number;
  setStats(on: boolean): number;
  runTime(): ProgramRuns[] | number;
  testRun(program: string, pairs: BigUint64Array): number;
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
