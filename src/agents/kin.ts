/** What each process is that descends from an agent and is none: a part of the agent, a tool of it, or a helper. */
import { isHelper, isSameProgram } from '../discovery/helpers.ts';
import type { Sighting } from '../discovery/sighting.ts';
import { childrenOf } from '../proc/ancestry.ts';
import { argvOf, readCmdline } from '../proc/cmdline.ts';
import type { ProcFiles } from '../proc/files.ts';
import { isGone, LazyHandle, ProcHandle } from '../proc/handle.ts';
import { BoundedMap } from '../util/boundedMap.ts';

/**
 * - `own`: runs the agent's program, as a fork that has not run another one does
 * - `tool`: runs another one, or was started by one that does
 * - `helper`: a rule names it, or it waits for the agent or for a person; or such a one started it
 */
export type Kinship = 'own' | 'tool' | 'helper';

export interface Relative {
  readonly pid: number;
  readonly startTicks: number;
  /** The agent that it descends from. */
  readonly agent: number;
  /** What its parent was at its birth. */
  readonly from: Kinship;
  readonly kinship: Kinship;
}

export interface Judge {
  isAgent(pid: number): boolean;
  /** Whether a rule names it. @throws TautError */
  isNamed(process: LazyHandle, seen: Sighting): boolean;
}

/** More than one look's worth of short tools; the next look finds what was dropped. */
const MOST = 32_768;

export class Kin {
  readonly #judge: Judge;
  readonly #files: ProcFiles | undefined;
  readonly #byPid = new BoundedMap<number, Relative>(MOST);

  /** @param files where the processes are. Default: this host. */
  constructor(judge: Judge, files?: ProcFiles) {
    this.#judge = judge;
    this.#files = files;
  }

  get(pid: number): Relative | undefined {
    return this.#byPid.get(pid);
  }

  isAgent(pid: number): boolean {
    return this.#judge.isAgent(pid);
  }

  of(agent: number): Relative[] {
    return [...this.#byPid.values()].filter((one) => one.agent === agent);
  }

  forget(pid: number): void {
    this.#byPid.delete(pid);
  }

  /** Notes a new process below an agent: it is what its parent is. `maker`: the thread that made it. */
  born(agent: number, { pid, startTicks }: Pick<Relative, 'pid' | 'startTicks'>, maker: number): Relative | undefined {
    const from = maker === agent ? 'own' : (this.#byPid.get(maker)?.kinship ?? this.#kinshipOfParent(pid, agent));
    return from && this.#note({ pid, startTicks, agent, from, kinship: from });
  }

  /** A process runs another program. @returns undefined if it is not known to descend from an agent, or is gone. */
  execed(pid: number, seen: Sighting): Relative | undefined {
    const known = this.#byPid.get(pid);
    return known && this.#judged(known, seen);
  }

  /**
   * Looks at everything below an agent but agents and what is theirs, and judges what is not known, and what was a part of
   * the agent: its exec may have been missed.
   */
  look(agent: number, seen: Sighting): void {
    const visited = new Set<number>([agent]);
    const below = (pid: number, kinship: Kinship): void => {
      for (const child of childrenOf(pid, this.#files)) {
        if (visited.has(child) || this.#judge.isAgent(child)) continue;
        visited.add(child);
        const found = this.#found(agent, child, kinship, seen);
        if (found) below(child, found.kinship);
      }
    };
    below(agent, 'own');
  }

  #found(agent: number, pid: number, from: Kinship, seen: Sighting): Relative | undefined {
    try {
      using process = new ProcHandle(pid, this.#files);
      const { startTicks } = process.stat();
      const known = this.#byPid.get(pid);
      const isKnown = known?.startTicks === startTicks && known.agent === agent;
      if (isKnown && (known.kinship !== 'own' || this.#isOwnProgram(agent, argvOf(readCmdline(process)), process)))
        return known;
      return this.#judged(isKnown ? known : { pid, startTicks, agent, from, kinship: from }, seen);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** What a helper starts or becomes is a helper: an MCP server may be behind several programs. */
  #judged(one: Relative, seen: Sighting): Relative | undefined {
    if (one.kinship === 'helper') return this.#note(one);
    try {
      using process = new LazyHandle(one.pid, this.#files);
      const handle = process.get();
      if (handle.stat().startTicks !== one.startTicks) return undefined;
      const argv = argvOf(seen.cmdline ?? readCmdline(handle));
      const isAside = this.#judge.isNamed(process, seen) || isHelper(argv, () => handle.link('exe'));
      const isOwn = () => one.from === 'own' && this.#isOwnProgram(one.agent, argv, handle);
      return this.#note({ ...one, kinship: isAside ? 'helper' : isOwn() ? 'own' : 'tool' });
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  #isOwnProgram(agent: number, argv: readonly string[], child: ProcHandle): boolean {
    using process = new ProcHandle(agent, this.#files);
    const own = { argv: argvOf(readCmdline(process)), exe: process.link('exe') };
    return isSameProgram(own, { argv, exe: child.link('exe') });
  }

  /** For a maker that is not its process's first thread. Undefined when the child is gone. */
  #kinshipOfParent(pid: number, agent: number): Kinship | undefined {
    try {
      using process = new ProcHandle(pid, this.#files);
      const { ppid } = process.stat();
      // With another parent by now, it is judged when it runs a program.
      return ppid === agent ? 'own' : (this.#byPid.get(ppid)?.kinship ?? 'own');
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  #note(one: Relative): Relative {
    this.#byPid.set(one.pid, one);
    return one;
  }
}
