import type { Contact } from '../config/contactPattern.ts';
import { readCmdline } from '../proc/cmdline.ts';
import type { ProcHandle } from '../proc/handle.ts';
import type { ThreadStat } from '../proc/stat.ts';

/** What rules are matched against: facts from /proc, and what the network saw of the process. */
export interface ProcessFacts {
  readonly pid: number;
  /** The arguments as /proc shows them now: the process may have overwritten them. */
  readonly argv: readonly string[];
  /** Path of the executable; undefined when the kernel does not tell it. */
  readonly exe: string | undefined;
  readonly comm: string;
  /** Names that the process has asked a resolver for, in lower case. */
  readonly names?: readonly string[];
  /** The addresses that the process has connected to. */
  readonly contacts?: readonly Contact[];
}

/** Facts that are read only when a rule asks for them. */
export interface LazyFacts {
  /** The effective user's id, and its names. */
  users(): readonly string[];
  cwd(): string | undefined;
  /** Names of environment variables, never values. */
  env(): readonly string[];
  cgroups(): readonly string[];
  /** The programs of its ancestors, nearest first. */
  ancestors(): readonly string[];
}

/** Why taut looked at a process. */
export type SightingSource =
  /** It runs another program. */
  | 'exec'
  /** A scan of all processes found it. */
  | 'scan'
  /** It gave itself another name. */
  | 'rename'
  /** It was put into another control group. */
  | 'move'
  /** It asked a resolver for a name. */
  | 'dns'
  /** It has a connection. */
  | 'connection'
  /** An agent forked it. */
  | 'child'
  /** A user ran `taut explain`. */
  | 'explain';

/** One sighting of a process. Times: milliseconds since the epoch. */
export interface Sighting {
  readonly source: SightingSource;
  readonly atMs: number;
  /** The name or address that the network saw. */
  readonly what?: string;
  /** Start time of the process that was seen, clock ticks since boot; tells it from a later process with its id. */
  readonly startTicks?: number;
  /** The command line at exec, each argument ended by a NUL, if the kernel reported it. */
  readonly cmdline?: string;
}

/** Equal sightings, kept as one: their number, the first time and the last. */
export interface RepeatedSighting {
  readonly source: SightingSource;
  readonly what?: string;
  readonly atMs: number;
  readonly lastMs: number;
  readonly times: number;
}

/** Whether the process is the one that was seen. Compares start times, if the sighting has one. */
export function isTheSame(stat: ThreadStat, { startTicks }: Sighting): boolean {
  return startTicks === undefined || startTicks === stat.startTicks;
}

/** Whether the process still has the command line that was seen; taut must act on what runs now. @throws TautError */
export function isAsSeen(process: ProcHandle, { cmdline }: Sighting): boolean {
  return cmdline === undefined || cmdline === readCmdline(process);
}

/** The sighting without its command line, so that it is read from /proc again. */
export function withoutCmdline({ cmdline: _, ...seen }: Sighting): Sighting {
  return seen;
}
