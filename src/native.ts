/** The only file that loads the addon: its typed face, and the one error class that its `-errno` becomes. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A system call that failed. `code` is the errno's name (`EPERM`), `hint` what to do about it, if we know. */
export class TautError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly hint: string | undefined;

  constructor(errno: number, syscall: string, hint?: string) {
    // Loaded for an error only: it takes as long as a tenth of Node's start, for which a command of `taut run` waits.
    const errors = process.getBuiltinModule('node:util').getSystemErrorMap();
    const [code, text] = errors.get(errno) ?? [`E${-errno}`, 'unknown error'];
    super(`${syscall}: ${text} (${code})${hint ? `; ${hint}` : ''}`);
    this.name = 'TautError';
    this.code = code;
    this.syscall = syscall;
    this.hint = hint;
  }
}

/** A life event of the kernel. Times are nanoseconds: `startNs` since boot, `atNs` of CLOCK_MONOTONIC. */
export interface KernelEvent {
  readonly kind: 'exec' | 'rename' | 'newThread' | 'newChild' | 'threadExit' | 'processExit';
  readonly pid: number;
  readonly tid: number;
  /** The agent that a newThread is of, that a newChild descends from. */
  readonly ppid: number;
  /** The forking thread, for the same. */
  readonly maker: number;
  readonly startNs: bigint;
  readonly atNs: bigint;
  /** What an exec was given, each argument ended by a NUL; undefined where it was too long to be told. */
  readonly cmdline: string | undefined;
}

/** The numbers of `native/include/taut.h`: where a series and its words lie. */
export interface Layout {
  readonly scale: number;
  readonly bucketMin: number;
  readonly buckets: number;
  readonly histogramWords: number;
  readonly zeroAt: number;
  readonly sumAt: number;
  readonly minAt: number;
  readonly maxAt: number;
  readonly bucketsAt: number;
  readonly lateness: number;
  readonly slackUse: number;
  readonly overrun: number;
  readonly latency: number;
  readonly runQueue: number;
  readonly handOver: number;
  readonly reachable: number;
  readonly reachableTuned: number;
  readonly beyond: number;
  readonly none: number;
  readonly timerSplits: number;
  readonly series: number;
  readonly maxAgents: number;
  readonly counters: readonly string[];
  /** By number. */
  readonly events: readonly KernelEvent['kind'][];
  readonly eventFields: number;
}

/** What is handed on of life events: so many fields of one, then of the next. */
export type EventFields = readonly (number | bigint | string | undefined)[];

/** Of one program: `missed` counts the runs that the kernel left out as it was running on that CPU already (since 5.12). */
export interface ProgramRuns {
  readonly name: string;
  readonly ns: number;
  readonly runs: number;
  readonly missed: number;
}

/** Every call returns data or `-errno`. See `native/addon/tracer.h`. */
export interface NativeTracer {
  open(path: string): number;
  load(): number;
  attach(program: string, cgroup?: string): number;
  detach(program: string): number;
  visitThreads(visit: number, pid: number, slot: number, thread?: number): number;
  omitFeatures(program?: string): number;
  setSettings(sampleMask: number, shedDetail: number, canarySlot: number): number;
  emptySeries(slot: number): number;
  addAgent(pid: number, slot: number, shared?: boolean): number;
  reserve(slot: number): number;
  removeAgent(pid: number): number;
  readSeries(slot: number, into: Uint32Array): number;
  readCounters(): number[] | number;
  listen(callback: (fields: EventFields) => void): number;
  listen(callback: (records: Buffer[]) => void, map: string): number;
  writeMap(map: string, index: number, value: number): number;
  readMap(map: string, index: number): number;
  setStats(on: boolean): number;
  runTime(): ProgramRuns[] | number;
  testRun(program: string, pairs: BigUint64Array): number;
  log(): string;
  close(): void;
}

/** A socket as sock_diag tells of it. Port and address are the other side's. */
export interface DiagSocket {
  readonly inode: number;
  /** The same that BPF programs see. */
  readonly cookie: bigint;
  readonly localPort: number;
  readonly port: number;
  readonly address: string;
}

/** See `native/addon/canary.h`. */
export interface NativeCanary {
  start(intervalNs: number): number;
  take(): BigUint64Array;
  until(): bigint;
  close(): void;
}

/** See `native/addon/exercise.h`. */
export interface NativeExercise {
  start(): [number, number] | number;
  run(turns: number): number;
  close(): void;
}

/** See `native/addon/guard.h`. */
export interface NativeGuard {
  start(path: string, pid: string, ...command: string[]): number;
  isRunning(): boolean;
  release(): void;
  close(): void;
}

interface Addon {
  readonly layout: Layout;
  readonly Tracer: new () => NativeTracer;
  readonly Canary: new () => NativeCanary;
  readonly Exercise: new () => NativeExercise;
  readonly Guard: new () => NativeGuard;
  openDirectory(at: number, path: string): number;
  readAt(at: number, name: string, limit: number): Buffer | number;
  readTextAt(at: number, name: string, limit: number): string | number;
  listIdsAt(at: number, name: string): number[] | number;
  readLinkAt(at: number, name: string): string | number;
  writeAt(at: number, name: string, text: string): number;
  close(fd: number): number;
  lock(path: string, shared: boolean): number;
  adoptOrphans(on: boolean): number;
  reap(pid: number): number;
  unblock(signal: number): number;
  /** 1 when nobody is left at the other end of a pipe, a socket or a terminal, else 0. */
  isHungUp(fd: number): number;
  /** How many bytes a pipe or a socket took at once, `-EAGAIN` when none. Leaves it blocking for who shares it. */
  writeNow(fd: number, bytes: Buffer): number;
  confine(keep: bigint): number;
  /** sock_diag's datagrams about a network namespace's sockets; `states`: bits; `localPort` 0: any. */
  dumpSockets(networkNamespace: string, protocol: number, states: number, localPort: number): Buffer[] | number;
  /** The same, without keeping the event loop. */
  listSockets(
    networkNamespace: string,
    protocol: number,
    states: number,
    localPort: number,
  ): Promise<Buffer[] | number>;
  parseSockets(datagram: Buffer): DiagSocket[] | number;
}

/** The package's folder: where `package.json` and `build/` are, from `src/` and from `dist/src/` alike. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

let loaded: Addon | undefined;

/** Loads the addon at its first use, so that `--help` and `config check` work without it. */
export function addon(): Addon {
  if (loaded) return loaded;
  const path = join(packageRoot(), 'build/Release/taut.node');
  if (!existsSync(path)) throw new Error(`the native addon is not built (${path}); run: sh native/setup.sh`);
  loaded = createRequire(import.meta.url)(path) as Addon;
  return loaded;
}

/** The program that puts back what a taut that is gone did not (`native/guard/guard.c`). */
export function guardPath(): string {
  return join(packageRoot(), 'build/taut-guard');
}

/** A compiled set of BPF programs: `taut` (the tracer), `names` (who asks for which names), `buckets`, `chain` and `empty` (for tests). */
export function bpfObjectPath(name: 'taut' | 'names' | 'buckets' | 'chain' | 'empty'): string {
  return join(packageRoot(), `build/${name}.bpf.o`);
}

/** What holds a command until it is tuned: `native/hold`. */
export function holdPath(): string {
  return join(packageRoot(), 'build/taut-hold');
}

/** Throws the `-errno` of a call as a TautError; hands on everything else. */
export function check<T>(result: T | number, syscall: string, hint?: string): T {
  if (typeof result === 'number' && result < 0) throw new TautError(result, syscall, hint);
  return result as T;
}
