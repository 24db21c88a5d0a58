/**
 * A host in memory: processes and threads as /proc would show them, and what a tracer would report of them. Ids are
 * used again only where a test says so. Each thread has one value that a knob may set, and knows what it would be
 * without taut.
 */
import type { Errno, KernelEvent } from '../../src/native.ts';
import { startTicksOf } from '../../src/proc/clock.ts';
import { cmdlineOf } from '../../src/proc/cmdline.ts';
import type { ProcFiles } from '../../src/proc/files.ts';
import type { LostKind } from '../../src/tracer/tracer.ts';

/** The file of the value that each thread has. */
export const VALUE_FILE = 'patience';
export const ORIGINAL = 50_000n;

const error = (errno: number) => -errno as unknown as Errno;
const [EPERM, ENOENT, ESRCH] = [error(1), error(2), error(3)];
/** Fields of /proc/ID/stat that are not the name, in parentheses, and what comes before it. */
const STAT_FIELDS = 50;

interface Thread {
  readonly tid: number;
  readonly startNs: bigint;
  process: Process;
  value: bigint;
  /** The value that it would have if there were no taut. */
  natural: bigint;
  policy: number;
  isDenied: boolean;
  hasEnded: boolean;
}

interface Process {
  readonly pid: number;
  ppid: number;
  comm: string;
  argv: readonly string[];
  /** The path of the program that it runs, whatever it calls itself. */
  exe: string;
  /** What its standard input and output are, if they are shown. */
  streams: string | undefined;
  /** By id; the main thread has the id of the process. */
  readonly threads: Map<number, Thread>;
  /** The agent that it descends from, as the tracer has marked it at its fork. */
  descendsFrom: number | undefined;
}

export class MadeUpHost implements ProcFiles {
  readonly #threads = new Map<number, Thread>();
  /** Open directories. A directory of a thread that has ended stays open, and is no later thread's. */
  readonly #open = new Map<number, Thread>();
  readonly #traced = new Set<number>();
  #events: KernelEvent[] = [];
  #nextId = 1_000;
  #nextDescriptor = 10;
  #startNs = 1_000_000_000n;
  #unseen = 0;
  /** What the tracer had no room for: how many by kind, and those that can be told again. */
  readonly #crowded = new Map<LostKind, number>();
  readonly #owed: KernelEvent[] = [];
  /** Called before each access to a file of a thread: whatever happens to it meanwhile can happen here. */
  onAccess: (name: string, tid: number) => void = () => {};

  // What happens on the host.

  /** A process that no agent made begins to run a program. @returns its id. */
  start(argv: readonly string[], { pid = this.#nextId++, ppid = 1, value = ORIGINAL } = {}): number {
    this.#tell('exec', this.#born(pid, ppid, argv, value, value), { maker: pid, cmdline: cmdlineOf(argv) });
    return pid;
  }

  /** A thread makes a child process, which has its value. @returns the child's id. */
  fork(parent: number, { maker = parent, pid = this.#nextId++ } = {}): number {
    const { value, natural, process } = this.#thread(maker);
    const child = this.#born(pid, parent, process.argv, value, natural);
    child.process.comm = process.comm;
    child.process.exe = process.exe;
    child.process.descendsFrom = this.#traced.has(parent) ? parent : process.descendsFrom;
    this.#reportDescendant(child, maker);
    return pid;
  }

  /** A thread makes another thread of its process. @returns its id. */
  thread(pid: number, { maker = pid, tid = this.#nextId++ } = {}): number {
    const { value, natural, process } = this.#thread(maker);
    const thread = this.#add(tid, process, value, natural);
    if (this.#traced.has(pid)) this.#tell('newThread', thread, { ppid: pid, maker });
    else this.#reportDescendant(thread, maker);
    return tid;
  }

  /** A process runs another program; its other threads end. */
  exec(pid: number, argv: readonly string[], maker = pid): void {
    const { process } = this.#thread(pid);
    for (const tid of [...process.threads.keys()]) if (tid !== pid) this.endThread(tid);
    process.argv = argv;
    process.exe = argv[0] ?? '';
    process.comm = nameOf(argv);
    this.#tell('exec', this.#thread(pid), { maker, cmdline: cmdlineOf(argv) });
  }

  /**
   * A thread that may not be the leader runs another program: the others end, the leader as well, and it has the leader's id
   * and start from then on. An open directory of the process is its own then, one of the thread is nobody's.
   */
  execBy(tid: number, argv: readonly string[]): void {
    const thread = this.#thread(tid);
    const { process, value, natural, policy, isDenied } = thread;
    const leader = this.#thread(process.pid);
    if (thread !== leader) {
      if (this.#traced.has(leader.tid)) this.#tell('threadExit', leader);
      this.#remove(thread);
      Object.assign(leader, { value, natural, policy, isDenied });
    }
    this.exec(process.pid, argv, tid);
  }

  /** Gives a process these standard streams. */
  connect(pid: number, streams: string): void {
    this.#thread(pid).process.streams = streams;
  }

  /** A process gives itself another title, as `process.title` does: over its arguments, and as its name. */
  rename(pid: number, title: string): void {
    const main = this.#thread(pid);
    main.process.argv = [title];
    main.process.comm = title.slice(0, 15);
    this.#tell('rename', main);
  }

  endThread(tid: number): void {
    const thread = this.#thread(tid);
    this.#remove(thread);
    if (this.#traced.has(thread.process.pid)) this.#tell('threadExit', thread);
  }

  /** A process ends, and its children are init's. */
  end(pid: number): void {
    const main = this.#thread(pid);
    for (const thread of main.process.threads.values()) this.#remove(thread);
    for (const { process } of this.#threads.values()) if (process.ppid === pid) process.ppid = 1;
    if (this.#traced.delete(pid)) this.#tell('processExit', main);
  }

  /** Another program sets the value of a thread. */
  set(tid: number, value: bigint): void {
    const thread = this.#thread(tid);
    thread.value = value;
    thread.natural = value;
  }

  /** The thread becomes real-time, or normal again. */
  setPolicy(tid: number, policy: 'other' | 'fifo'): void {
    this.#thread(tid).policy = policy === 'fifo' ? 1 : 0;
  }

  /** From now on the kernel refuses to write this thread, or no longer does. */
  deny(tid: number, isDenied = true): void {
    this.#thread(tid).isDenied = isDenied;
  }

  // What the tracer does.

  trace(pid: number): void {
    this.#traced.add(pid);
  }

  untrace(pid: number): void {
    this.#traced.delete(pid);
  }

  /** The events since the last call, in their order. */
  events(): KernelEvent[] {
    return this.#events.splice(0);
  }

  /** The tracer's programs were not run for what was not taken yet. */
  loseEvents(): void {
    this.#unseen += this.#events.length;
    this.#events = [];
  }

  /** The tracer had no room for what was not taken yet. Of threads that live the kernel can tell again. */
  crowdEvents(): void {
    for (const event of this.#events.splice(0)) {
      const kind =
        event.kind === 'exec' || event.kind === 'rename' ? event.kind : event.kind.startsWith('new') ? 'birth' : 'end';
      this.#crowded.set(kind, (this.#crowded.get(kind) ?? 0) + 1);
      if (kind !== 'end') this.#owed.push(event);
    }
  }

  lost(): ReadonlyMap<LostKind, number> {
    return new Map<LostKind, number>([...this.#crowded, ['unseen', this.#unseen]]);
  }

  retell(): number {
    const owed = this.#owed.splice(0).filter(({ tid, startNs }) => this.#threads.get(tid)?.startNs === startNs);
    this.#events.push(...owed);
    return owed.length;
  }

  // What a test asks.

  pids(): number[] {
    return [...new Set([...this.#threads.values()].map(({ process }) => process.pid))];
  }

  tids(pid?: number): number[] {
    return [...this.#threads.values()].filter((t) => pid === undefined || t.process.pid === pid).map(({ tid }) => tid);
  }

  /** The process of a thread. */
  processOf(tid: number): number {
    return this.#thread(tid).process.pid;
  }

  value(tid: number): bigint {
    return this.#thread(tid).value;
  }

  /** The values of a process's threads, in the order of their births. */
  values(pid: number): bigint[] {
    return this.tids(pid).map((tid) => this.value(tid));
  }

  /** Threads whose value is not the one that they would have without taut. */
  changed(): { tid: number; pid: number; value: bigint; natural: bigint }[] {
    const all = [...this.#threads.values()].map(({ tid, process: { pid }, value, natural }) => ({
      ...{ tid, pid, value, natural },
    }));
    return all.filter(({ value, natural }) => value !== natural);
  }

  get openDescriptors(): number {
    return this.#open.size;
  }

  /** The time at which the last thread was born. */
  nowTicks(): number {
    return startTicksOf(this.#startNs);
  }

  // The files of /proc.

  openDirectory(at: number, path: string): number | Errno {
    const id = Number(path.replace(/^(\/proc|task)\//, ''));
    this.onAccess('', id);
    const thread = at === -1 ? this.#threads.get(id) : this.#open.get(at)?.process.threads.get(id);
    if (!thread || thread.hasEnded) return ENOENT;
    this.#open.set(this.#nextDescriptor, thread);
    return this.#nextDescriptor++;
  }

  readAt(at: number, name: string, limit: number): Buffer | Errno {
    const text = this.readTextAt(at, name, limit);
    return typeof text === 'string' ? Buffer.from(text) : text;
  }

  readTextAt(at: number, name: string, limit: number): string | Errno {
    const thread = this.#at(at, name);
    if (thread.hasEnded) return ESRCH;
    return this.#text(thread, name)?.slice(0, limit) ?? ENOENT;
  }

  listIdsAt(at: number, name: string): number[] | Errno {
    const { hasEnded, process } = this.#at(at, name);
    return hasEnded ? ESRCH : [...process.threads.keys()];
  }

  readLinkAt(at: number, name: string): string | Errno {
    const { hasEnded, process } = this.#at(at, name);
    const shown = name === 'exe' ? process.exe : /^fd\/[01]$/.test(name) ? process.streams : undefined;
    return hasEnded || shown === undefined ? ENOENT : shown;
  }

  writeAt(at: number, name: string, text: string): 0 | Errno {
    const thread = this.#at(at, name);
    if (thread.hasEnded) return ESRCH;
    if (thread.isDenied) return EPERM;
    thread.value = BigInt(text);
    return 0;
  }

  close(descriptor: number): 0 {
    if (!this.#open.delete(descriptor)) throw new Error(`descriptor ${descriptor} is not open`);
    return 0;
  }

  #at(descriptor: number, name: string): Thread {
    const thread = this.#open.get(descriptor);
    if (!thread) throw new Error(`descriptor ${descriptor} is not open`);
    this.onAccess(name, thread.tid);
    return thread;
  }

  #text(thread: Thread, name: string): string | undefined {
    const { tid, process, value, policy, startNs } = thread;
    const { pid, ppid, comm, argv, threads } = process;
    if (name === VALUE_FILE) return String(value);
    if (name === 'comm') return `${comm}\n`;
    if (name === 'cmdline') return cmdlineOf(argv);
    if (name === 'status') return `Name:\t${comm}\nTgid:\t${pid}\nPid:\t${tid}\n`;
    if (name === `task/${pid}/children`) return this.#childrenOf(pid).join(' ');
    if (name === 'cgroup' || /^task\/\d+\/children$/.test(name)) return '';
    if (name !== 'stat') return undefined;
    // By the numbers of proc(5), of which 3 is the first after the name.
    const known = new Map<number, string | number>([
      [3, 'S'],
      [4, ppid],
      [20, threads.size],
      [22, startTicksOf(startNs)],
      [41, policy],
    ]);
    const fields = Array.from({ length: STAT_FIELDS }, (_, i) => known.get(i + 3) ?? 0);
    return `${tid} (${comm}) ${fields.join(' ')}\n`;
  }

  #childrenOf(pid: number): number[] {
    return this.pids().filter((id) => this.#threads.get(id)?.process.ppid === pid);
  }

  #thread(tid: number): Thread {
    const thread = this.#threads.get(tid);
    if (!thread) throw new Error(`there is no thread ${tid}`);
    return thread;
  }

  #born(pid: number, ppid: number, argv: readonly string[], value: bigint, natural: bigint): Thread {
    const comm = nameOf(argv);
    return this.#add(
      pid,
      { pid, ppid, comm, argv, exe: argv[0] ?? '', streams: undefined, threads: new Map(), descendsFrom: undefined },
      value,
      natural,
    );
  }

  #add(tid: number, process: Process, value: bigint, natural: bigint): Thread {
    if (this.#threads.has(tid)) throw new Error(`thread ${tid} has not ended yet`);
    this.#startNs += 10_000_000n;
    const rest = { policy: 0, isDenied: false, hasEnded: false };
    const thread = { tid, startNs: this.#startNs, process, value, natural, ...rest };
    process.threads.set(tid, thread);
    this.#threads.set(tid, thread);
    return thread;
  }

  #remove(thread: Thread): void {
    thread.hasEnded = true;
    thread.process.threads.delete(thread.tid);
    this.#threads.delete(thread.tid);
  }

  #reportDescendant(thread: Thread, maker: number): void {
    const { descendsFrom } = thread.process;
    if (descendsFrom !== undefined) this.#tell('newChild', thread, { ppid: descendsFrom, maker });
  }

  #tell(kind: KernelEvent['kind'], thread: Thread, more: Partial<KernelEvent> = {}): void {
    const { tid, startNs, process } = thread;
    const of = { pid: process.pid, tid, startNs, atNs: globalThis.process.hrtime.bigint(), user: 0, held: 0 };
    this.#events.push({ kind, ...of, ppid: 0, maker: 0, cmdline: undefined, ...more });
  }
}

const nameOf = (argv: readonly string[]) => (argv[0] ?? '').replace(/^.*\//, '').slice(0, 15);
