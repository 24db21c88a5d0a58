/** The only file that loads the addon. Its typed face: the plain calls here, each class in `native/`. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NativeBpfObject } from './native/bpfObject.ts';
import type { NativeCanary } from './native/canary.ts';
import type { Errno, Outcome } from './native/errno.ts';
import type { NativeExercise } from './native/exercise.ts';
import type { NativeGuard } from './native/guard.ts';
import type { Layout } from './native/layout.ts';
import type { NativeWakeupTracer } from './native/wakeupTracer.ts';

export { type NativeBpfObject, type ProgramRuns, recordBounds } from './native/bpfObject.ts';
export type { NativeCanary } from './native/canary.ts';
export { check, failed, type Outcome, TautError } from './native/errno.ts';
export type { NativeExercise } from './native/exercise.ts';
export type { NativeGuard } from './native/guard.ts';
export type { KernelEvent } from './native/kernelEvent.ts';
export type { ContactKind, Layout } from './native/layout.ts';
export type { NativeWakeupTracer } from './native/wakeupTracer.ts';

/** A socket as sock_diag tells of it. Port and address are the other side's. */
export interface DiagSocket {
  readonly inode: number;
  /** The same that BPF programs see. */
  readonly cookie: bigint;
  readonly localPort: number;
  readonly port: number;
  readonly address: string;
}

interface Addon {
  readonly layout: Layout;
  readonly BpfObject: new () => NativeBpfObject;
  readonly WakeupTracer: new (object: NativeBpfObject) => NativeWakeupTracer;
  readonly Canary: new () => NativeCanary;
  readonly Exercise: new () => NativeExercise;
  readonly Guard: new () => NativeGuard;
  openDirectory(at: number, path: string): number | Errno;
  readAt(at: number, name: string, limit: number): Buffer | Errno;
  readTextAt(at: number, name: string, limit: number): string | Errno;
  listIdsAt(at: number, name: string): number[] | Errno;
  readLinkAt(at: number, name: string): string | Errno;
  writeAt(at: number, name: string, text: string): Outcome;
  close(fd: number): Outcome;
  lock(path: string, shared: boolean): number | Errno;
  adoptOrphans(on: boolean): Outcome;
  reap(pid: number): number | Errno;
  unblock(signal: number): Outcome;
  /** 1 when nobody is left at the other end of a pipe, a socket or a terminal, else 0. */
  isHungUp(fd: number): number;
  /** How many bytes a pipe or a socket took at once, `-EAGAIN` when none. Leaves it blocking for who shares it. */
  writeNow(fd: number, bytes: Buffer): number | Errno;
  confine(keep: bigint): Outcome;
  /** sock_diag's datagrams about a network namespace's sockets; `states`: bits; `localPort` 0: any. */
  dumpSockets(networkNamespace: string, protocol: number, states: number, localPort: number): Buffer[] | Errno;
  /** The same, without keeping the event loop. */
  listSockets(networkNamespace: string, protocol: number, states: number, localPort: number): Promise<Buffer[] | Errno>;
  parseSockets(datagram: Buffer): DiagSocket[] | Errno;
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
  if (!existsSync(path)) throw new Error(`the native addon is not built (${path}); run: sh scripts/setup.sh`);
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
