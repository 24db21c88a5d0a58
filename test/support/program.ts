/** Real processes for the tests: started, controlled over pipes, and ended by process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';

export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly ended: Promise<number>;
  #more: () => void = () => {};

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env, cwd?: string) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env, ...(cwd === undefined ? {} : { cwd }) });
    this.ended = new Promise((resolve) => {
      this.child.once('error', () => resolve(-1));
      this.child.once('close', (code, signal) => resolve(code ?? (signal ? 1000 : -1)));
    });
    const collect = (stream: NodeJS.ReadableStream | null, into: string[]) => {
      if (!stream) return;
      createInterface({ input: stream }).on('line', (line) => {
        into.push(line);
        this.#more();
      });
    };
    collect(this.child.stdout, this.lines);
    collect(this.child.stderr, this.errors);
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the program did not start');
    return this.child.pid;
  }

  say(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** Waits for a line on standard output or error. The limit is only a safety net. */
  async line(pattern: RegExp, limitMs = 30_000): Promise<string> {
    const deadline = Date.now() + limitMs;
    let gone = false;
    void this.ended.then(() => {
      gone = true;
      this.#more();
    });
    for (;;) {
      const found = [...this.lines, ...this.errors].find((line) => pattern.test(line));
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (gone || left <= 0)
        throw new Error(`no line ${pattern}; it said:\n${[...this.lines, '--', ...this.errors].join('\n')}`);
      await Promise.race([new Promise<void>((resolve) => (this.#more = resolve)), setTimeout(left)]);
    }
  }

  /** Waits for line `n + 1` of standard output; empty when the process ends before it. */
  async lineAfter(n: number): Promise<string> {
    const gone = this.ended.then(() => this.#more());
    while (this.lines.length <= n && this.child.exitCode === null)
      await Promise.race([new Promise<void>((resolve) => (this.#more = resolve)), gone]);
    return this.lines[n] ?? '';
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    this.child.kill(signal);
    return this.ended;
  }

  /** Does not wait for the end of its output: a child that outlives the process may hold the pipes open. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exited;
    }
    for (const stream of this.child.stdio) stream?.destroy();
  }
}

/** Thread ids of a process, the main thread first: a reused id of another thread may be lower. */
export function threadIds(pid: number): number[] {
  const others = readdirSync(`/proc/${pid}/task`).map(Number);
  return [pid, ...others.filter((tid) => tid !== pid)];
}

/** What a file of each thread of a process says, the main thread's first. A thread that ends meanwhile is left out. */
export function ofThreads(pid: number, file: string): { readonly tid: number; readonly text: string }[] {
  return threadIds(pid).flatMap((tid) => {
    try {
      return [{ tid, text: readFileSync(`/proc/${tid}/${file}`, 'latin1') }];
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
      throw error;
    }
  });
}

/** The timer slack of every thread of a process, in nanoseconds. */
export function slacks(pid: number): number[] {
  return ofThreads(pid, 'timerslack_ns').map(({ text }) => Number(text));
}

/** Sets the timer slack of every thread of a process, in nanoseconds. */
export function setSlack(pid: number, ns: number): void {
  for (const tid of threadIds(pid)) writeFileSync(`/proc/${tid}/timerslack_ns`, String(ns));
}

/** How often the threads of a process went to sleep, and how often they were preempted. */
export function switches(pid: number): { voluntary: number; preempted: number } {
  const status = ofThreads(pid, 'status').map(({ text }) => text);
  const sum = (pattern: RegExp) => status.reduce((total, text) => total + Number(pattern.exec(text)?.[1]), 0);
  return {
    voluntary: sum(/^voluntary_ctxt_switches:\s+(\d+)/m),
    preempted: sum(/^nonvoluntary_ctxt_switches:\s+(\d+)/m),
  };
}

/** Waits until a condition holds. The limit is only a safety net. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`still not so: ${what}`);
    await setTimeout(5);
  }
}

/** Waits for the end of a program. @returns its exit code and its output. */
export async function outcome(program: Program): Promise<{ code: number; out: string; err: string }> {
  const code = await program.ended;
  return { code, out: program.lines.join('\n'), err: program.errors.join('\n') };
}
