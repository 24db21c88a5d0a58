import type { Contact } from '../config/contactPattern.ts';

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
