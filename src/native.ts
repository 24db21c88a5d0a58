/** The only file that loads the addon. The plain calls have their types here, each class in `native/`. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { NativeBpfObject } from './native/bpfObject.ts';
import type { NativeCalibrationLoad } from './native/calibrationLoad.ts';
import type { NativeCanary } from './native/canary.ts';
import type { Errno, Outcome } from './native/errno.ts';
import type { NativeFiles } from './native/files.ts';
import type { NativeGuard } from './native/guard.ts';
import type { Layout } from './native/layout.ts';
import { notLoaded } from './native/notLoaded.ts';
import { packageRoot } from './native/package.ts';
import type { NativeWakeupTracer } from './native/wakeupTracer.ts';

export { type NativeBpfObject, type ProgramRuns, recordBounds } from './native/bpfObject.ts';
export type { NativeCalibrationLoad } from './native/calibrationLoad.ts';
export type { NativeCanary } from './native/canary.ts';
export { check, type Errno, failed, type Outcome, TautError } from './native/errno.ts';
export type { NativeFiles } from './native/files.ts';
export type { NativeGuard } from './native/guard.ts';
export type { KernelEvent } from './native/kernelEvent.ts';
export type { ContactKind, Layout } from './native/layout.ts';
export { packageRoot } from './native/package.ts';
export type { NativeWakeupTracer } from './native/wakeupTracer.ts';

/** A socket as sock_diag lists it. `port` and `address` are those of the peer. */
export interface DiagSocket {
  readonly inode: number;
  /** The cookie that BPF programs see too. */
  readonly cookie: bigint;
  readonly localPort: number;
  readonly port: number;
  readonly address: string;
}

interface Addon extends NativeFiles {
  readonly layout: Layout;
  readonly BpfObject: new () => NativeBpfObject;
  readonly WakeupTracer: new (object: NativeBpfObject) => NativeWakeupTracer;
  readonly Canary: new () => NativeCanary;
  readonly CalibrationLoad: new () => NativeCalibrationLoad;
  readonly Guard: new () => NativeGuard;
  lock(path: string, shared: boolean): number | Errno;
  /** Locks an open file until it is closed, or `-EAGAIN`. */
  flock(fd: number, shared: boolean): 0 | Errno;
  adoptOrphans(on: boolean): Outcome;
  reap(pid: number): number | Errno;
  unblock(signal: number): Outcome;
  /** The slice of the thread whose directory is open; 0 where its policy has none. */
  sliceAt(directory: number, tid: number): number | Errno;
  /** `ns` 0: the kernel's default. `-ESTALE`: another thread has the id by now, and its value is the default. */
  setSliceAt(directory: number, tid: number, ns: number): Outcome;
  /** The kernel's default slice; 0 where threads can't ask for another one. Tried on this thread, with `otherNs`. */
  defaultSlice(otherNs: number): number | Errno;
  /** The policy and the nice value of the thread whose directory is open: `policy << 8 | nice + 20`. */
  priorityAt(directory: number, tid: number): number | Errno;
  /** `priority` as above, not real-time. `-ESTALE`: another thread has the id by now, and has its own priority again. */
  setPriorityAt(directory: number, tid: number, priority: number): Outcome;
  /** Whether this process may raise a priority that it has lowered; tried on a thread that ends. */
  canRaisePriority(): Outcome;
  /** 1 when the other end of a pipe, a socket or a terminal is closed, else 0. */
  isHungUp(fd: number): number;
  /** Bytes that a pipe or a socket took at once, or `-EAGAIN`. It stays blocking for other processes that share it. */
  writeNow(fd: number, bytes: Buffer): number | Errno;
  confine(keep: bigint): Outcome;
  /** Datagrams of sock_diag about the sockets of a network namespace. `states`: bits of states; `localPort` 0: any. */
  dumpSockets(networkNamespace: string, protocol: number, states: number, localPort: number): Buffer[] | Errno;
  /** Like `dumpSockets`, but does not block the event loop. */
  listSockets(networkNamespace: string, protocol: number, states: number, localPort: number): Promise<Buffer[] | Errno>;
  /** 1 when one of the first `most` descriptors of this directory is one of these sockets, else 0. Does not block. */
  holdsSocket(descriptors: string, inodes: Uint32Array, most: number): Promise<number | Errno>;
  parseSockets(datagram: Buffer): DiagSocket[] | Errno;
}

let loaded: Addon | undefined;

/** Loads the addon at its first use, so that `--help` and `config check` work without it. */
export function addon(): Addon {
  if (loaded) return loaded;
  const path = join(packageRoot(), 'build/Release/taut.node');
  if (!existsSync(path)) throw new Error(`the native addon is not built (${path}); run: sh scripts/setup.sh`);
  try {
    loaded = createRequire(import.meta.url)(path) as Addon;
  } catch (error) {
    throw new Error(notLoaded(path, (error as Error).message), { cause: error });
  }
  return loaded;
}

/** The program that puts back what a killed taut has left (`native/guard/guard.c`). */
export function guardPath(): string {
  return join(packageRoot(), 'build/taut-guard');
}

/** A compiled BPF object: `taut` (the tracer), `names` (DNS, connections), or for tests `buckets`, `chain`, `empty`. */
export function bpfObjectPath(name: 'taut' | 'names' | 'buckets' | 'chain' | 'empty'): string {
  return join(packageRoot(), `build/${name}.bpf.o`);
}

/** The program that holds a command until it is tuned (`native/hold`). */
export function holdPath(): string {
  return join(packageRoot(), 'build/taut-hold');
}
