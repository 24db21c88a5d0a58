/**
 * One agent may be several processes: a script that only starts the native program of its package, itself again with other
 * flags, or another script in its place, and waits for that. The one that does the work, the lowest, is the agent; those above are parts of it.
 */
import { type EffectiveProgram, effectiveProgram } from '../discovery/program.ts';
import { childrenOf } from '../proc/ancestry.ts';
import { argvOf, readCmdline } from '../proc/cmdline.ts';
import type { ProcFiles } from '../proc/files.ts';
import { isGone, ProcHandle } from '../proc/handle.ts';
import { isJustForked } from '../proc/stat.ts';
import type { Agent } from './agent.ts';

/** Scripts that start each other: no agent has more. */
const MOST_LEVELS = 4;

export class Parts {
  readonly #agent: (pid: number) => Agent | undefined;
  readonly #files: ProcFiles | undefined;

  /** @param agent returns the agent that a process is now, if it is one. @param files where the processes are. */
  constructor(agent: (pid: number) => Agent | undefined, files: ProcFiles | undefined) {
    this.#agent = agent;
    this.#files = files;
  }

  /** The agent of this name that the process only started; undefined if the process does the work. */
  workerBelow(pid: number, name: string, levels = MOST_LEVELS): Agent | undefined {
    const launcher = this.#programOf(pid);
    if (launcher?.interpreter === undefined || levels === 0) return undefined;
    for (const child of childrenOf(pid, this.#files)) {
      const worker = this.#programOf(child);
      if (!isWorkerOf(launcher, worker) && !this.#standsInFor(launcher, pid, worker, child)) continue;
      const agent = this.#agent(child);
      if (agent?.identity.name === name && isByRule(agent)) return agent;
      const below = this.workerBelow(child, name, levels - 1);
      if (below) return below;
    }
    return undefined;
  }

  /** The agent that only started this one, and is a part of it. @param ppid of the parent. */
  launcherOf(worker: Agent, ppid: number): Agent | undefined {
    const parent = this.#agent(ppid);
    const { name, pid } = worker.identity;
    if (parent?.identity.name !== name || !isByRule(parent) || !isByRule(worker)) return undefined;
    const launcher = this.#programOf(ppid);
    if (launcher?.interpreter === undefined) return undefined;
    const own = this.#programOf(pid);
    return isWorkerOf(launcher, own) || this.#standsInFor(launcher, ppid, own, pid) ? parent : undefined;
  }

  /**
   * Whether a script runs another script in its place, as Qwen Code's does: one that reads and writes what the first would. A
   * helper of the package talks to its parent over pipes of its own.
   */
  #standsInFor(launcher: EffectiveProgram, pid: number, worker: EffectiveProgram | undefined, child: number): boolean {
    if (worker?.interpreter !== launcher.interpreter) return false;
    const [its, own] = [pid, child].map((one) => this.#streamsOf(one));
    return its !== undefined && its === own;
  }

  /** Standard input and output of a process; undefined when they are not shown, or lead nowhere. */
  #streamsOf(pid: number): string | undefined {
    try {
      using process = new ProcHandle(pid, this.#files);
      const [input, output] = [process.link('fd/0'), process.link('fd/1')];
      return input === undefined || output === undefined || output === '/dev/null' ? undefined : `${input} ${output}`;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  #programOf(pid: number): EffectiveProgram | undefined {
    try {
      using process = new ProcHandle(pid, this.#files);
      // A copy of its parent shows the parent's command line.
      if (isJustForked(process.stat())) return undefined;
      const exe = process.link('exe');
      return effectiveProgram(argvOf(readCmdline(process)), () => exe);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }
}

/** The operator's word and a parent's rule make each process an agent of its own. */
function isByRule({ identity: { rule, attachPath } }: Agent): boolean {
  return rule !== 'pid' && attachPath !== 'descendant';
}

/** A native program, or the same script once more. */
function isWorkerOf(launcher: EffectiveProgram, worker: EffectiveProgram | undefined): boolean {
  return worker !== undefined && (worker.interpreter === undefined || worker.path === launcher.path);
}
