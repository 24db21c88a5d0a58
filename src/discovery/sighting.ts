import type { Contact } from '../config/contactPattern.ts';
import { readCmdline } from '../proc/cmdline.ts';
import type { ProcHandle } from '../proc/handle.ts';
import type { ThreadStat } from '../proc/stat.ts';

/** What rules are held against: what /proc says of a process, and what the network saw of it. */
export interface ProcessFacts {
  readonly pid: number;
  /** As the process shows it now: it may have overwritten it. */
  readonly argv: readonly string[];
  /** Path of the executable; undefined when the kernel won't say. */
  readonly exe: string | undefined;
  readonly comm: string;
  /** Names that it has asked a resolver for, in lower case. */
  readonly names?: readonly string[];
  /** Whom it has connected to. */
  readonly contacts?: readonly Contact[];
}

/** What is read only when a rule asks for it. */
export interface LazyFacts {
  /** The effective user: its id, and its names. */
  users(): readonly string[];
  cwd(): string | undefined;
  /** Names of environment variables, never values. */
  env(): readonly string[];
  cgroups(): readonly string[];
  /** The programs of its parents, nearest first. */
  ancestors(): readonly string[];
}

/** What made taut look at a process. */
export type SightingSource =
  /** It runs another program. */
  | 'exec'
  /** It was there when every process was looked at. */
  | 'scan'
  /** It gave itself another name. */
  | 'rename'
  /** It asked a resolver. */
  | 'dns'
  /** It is connected. */
  | 'connection'
  /** An agent made it. */
  | 'child'
  /** Somebody wants to know. */
  | 'explain';

/** One look. Times: milliseconds since the epoch. */
export interface Seen {
  readonly source: SightingSource;
  readonly atMs: number;
  /** The name or address that the network saw. */
  readonly what?: string;
  /** When the process that was seen had begun, clock ticks since boot: another that has its id now is not it. */
  readonly startTicks?: number;
  /** What it was given to run, each argument ended by a NUL, where the kernel told. */
  readonly cmdline?: string;
}

/** The same, as it is kept: how often, from when to when. */
export interface Sighting {
  readonly source: SightingSource;
  readonly what?: string;
  readonly atMs: number;
  readonly lastMs: number;
  readonly times: number;
}

/** Whether a process is the one that was seen: by its start time, as far as the kernel told it. */
export function isTheSame(stat: ThreadStat, { startTicks }: Seen): boolean {
  return startTicks === undefined || startTicks === stat.startTicks;
}

/** Whether what a process was seen to run is what it runs now: what is done to it must be about that. @throws TautError */
export function isAsSeen(process: ProcHandle, { cmdline }: Seen): boolean {
  return cmdline === undefined || cmdline === readCmdline(process);
}

/** The same sighting, of which the process itself has to say what it runs. */
export function withoutCmdline({ cmdline: _, ...seen }: Seen): Seen {
  return seen;
}
