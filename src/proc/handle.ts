/**
 * An open `/proc/ID` directory of a process or of one thread. Accesses reach that process or thread only: after it has
 * ended they fail with ESRCH, even when its id is in use again.
 */
import { addon, check, failed, TautError } from '../native.ts';
import { hostFiles, type ProcFiles } from './files.ts';
import { parseStat, type ThreadStat } from './stat.ts';
import { threadGroupOf } from './status.ts';

export class ProcHandle implements Disposable {
  readonly id: number;
  /** What it is read through; other processes and threads of the same host are opened with it. */
  readonly files: ProcFiles;
  /** -1 after closing, because the number may then belong to another file. */
  #descriptor: number;

  /** @throws TautError ENOENT when there is no such process or thread. */
  constructor(id: number, files: ProcFiles = hostFiles()) {
    this.id = id;
    this.files = files;
    this.#descriptor = check(files.openDirectory(-1, `/proc/${id}`), `open /proc/${id}`);
  }

  get #fd(): number {
    if (this.#descriptor < 0) throw new Error(`the handle of ${this.id} is closed`);
    return this.#descriptor;
  }

  read(name: string, limit = 65_536): Buffer {
    return check(this.files.readAt(this.#fd, name, limit), `read /proc/${this.id}/${name}`);
  }

  /** Reads an entry that is ASCII text. */
  text(name: string, limit = 4_096): string {
    return check(this.files.readTextAt(this.#fd, name, limit), `read /proc/${this.id}/${name}`);
  }

  /** Ids of the threads of the process; empty when it is gone. */
  threadIds(): number[] {
    const ids = this.files.listIdsAt(this.#fd, 'task');
    return failed(ids) ? [] : ids;
  }

  /** Target of a link in the directory (`exe`, `cwd`); undefined when the kernel does not show it. */
  link(name: string): string | undefined {
    const target = this.files.readLinkAt(this.#fd, name);
    return failed(target) ? undefined : target;
  }

  write(name: string, text: string): void {
    check(this.files.writeAt(this.#fd, name, text), `write /proc/${this.id}/${name}`);
  }

  /** The scheduler's slice of this thread, nanoseconds; 0 while its policy has none (real-time, deadline). */
  slice(): number {
    return check(addon().sliceAt(this.#fd, this.id), `sched_getattr ${this.id}`);
  }

  /** @param ns 0: the kernel's default. @throws TautError ESTALE when another thread has had this id during the call. */
  setSlice(ns: number): void {
    check(addon().setSliceAt(this.#fd, this.id, ns), `sched_setattr ${this.id}`);
  }

  /** The policy and the nice value of this thread: `policy << 8 | nice + 20`. */
  priority(): number {
    return check(addon().priorityAt(this.#fd, this.id), `sched_getattr ${this.id}`);
  }

  /** @throws TautError ESTALE when another thread has got this id, and may have been written; EINVAL for a real-time thread. */
  setPriority(priority: number): void {
    check(addon().setPriorityAt(this.#fd, this.id, priority), `setpriority ${this.id}`);
  }

  stat(): ThreadStat {
    return parseStat(this.text('stat'));
  }

  /** Whether a thread of this id is in this process now; false when the process is gone. */
  hasThread(tid: number): boolean {
    const fd = this.files.openDirectory(this.#fd, `task/${tid}`);
    if (failed(fd)) return false;
    this.files.close(fd);
    return true;
  }

  /** The id of the process (thread group) that this thread belongs to now. */
  processId(): number {
    return threadGroupOf(this.text('status'));
  }

  /** Whether the process has ended; true also for a zombie without living threads. */
  hasEnded(): boolean {
    return this.#isDead(1);
  }

  /** Whether the process's leader has ended; other threads may live. */
  hasEndedLeader(): boolean {
    return this.#isDead(Number.POSITIVE_INFINITY);
  }

  /** @param most the number of threads up to which it counts as dead. */
  #isDead(most: number): boolean {
    try {
      const { state, threads } = this.stat();
      return (state === 'Z' || state === 'X') && threads <= most;
    } catch (error) {
      if (isGone(error)) return true;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#descriptor < 0) return;
    this.files.close(this.#descriptor);
    this.#descriptor = -1;
  }
}

/** A handle that is opened at its first use. */
export class LazyHandle implements Disposable {
  readonly id: number;
  readonly #files: ProcFiles | undefined;
  #handle: ProcHandle | undefined;

  constructor(id: number, files?: ProcFiles) {
    this.id = id;
    this.#files = files;
  }

  /** @throws TautError ENOENT when there is no such process. */
  get(): ProcHandle {
    this.#handle ??= new ProcHandle(this.id, this.#files);
    return this.#handle;
  }

  /** Hands the handle over: the caller disposes of it. */
  take(): ProcHandle {
    const handle = this.get();
    this.#handle = undefined;
    return handle;
  }

  [Symbol.dispose](): void {
    this.#handle?.[Symbol.dispose]();
  }
}

const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'ESTALE']);

/** Whether an error means that the thread or process is gone, which is normal; its id may be another's by now (ESTALE). */
export function isGone(error: unknown): boolean {
  return error instanceof TautError && GONE.has(error.code);
}

/** @returns `otherwise` when the kernel refuses to show something to taut. */
export function optional<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
